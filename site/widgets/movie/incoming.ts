// SPDX-License-Identifier: MIT
//
// Ways into the page for a trace: a file that is dropped anywhere on it, a text that is pasted. Nothing leaves the page.

/** `take` gets the file, and a name for it. @returns undoes it all */
export function listenForFiles(
  take: (file: Blob, name: string | null) => void,
  over: (is: boolean) => void,
): () => void {
  const ended = new AbortController()
  const { signal } = ended
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
  document.addEventListener(
    'dragover',
    (event) => {
      if (!hasFile(event)) return
      // Else the browser would leave the page for the file.
      event.preventDefault()
      over(true)
    },
    { signal },
  )
  document.addEventListener('dragleave', (event) => event.relatedTarget === null && over(false), { signal })
  document.addEventListener(
    'drop',
    (event) => {
      over(false)
      const file = event.dataTransfer?.files[0]
      if (!file) return
      event.preventDefault()
      take(file, file.name)
    },
    { signal },
  )
  document.addEventListener(
    'paste',
    (event) => {
      if ((event.target as Element).closest('input, textarea, [contenteditable]')) return
      const text = event.clipboardData?.getData('text/plain') ?? ''
      if (text.includes('\n')) take(new Blob([text]), null)
    },
    { signal },
  )
  return () => ended.abort()
}
