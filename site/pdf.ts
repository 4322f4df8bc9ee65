console.log("pdf")
