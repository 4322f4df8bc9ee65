// SPDX-License-Identifier: MIT
//
// Keeps the course for reading offline, once the page is read and idle. Only a published course has a manifest: pages of
// `contig read` have none, so that an author never meets a page of yesterday.
function whenIdle(act: () => void): void {
  const soon = (): void => {
    if ('requestIdleCallback' in window) requestIdleCallback(act, { timeout: 5000 })
    else setTimeout(act, 1500)
  }
  if (document.readyState === 'complete') soon()
  else addEventListener('load', soon, { once: true })
}

if (document.querySelector('link[rel="manifest"]') && 'serviceWorker' in navigator) {
  whenIdle(() => {
    import('../offline/keep.ts').then(({ keepCourse }) => keepCourse()).catch(() => undefined)
  })
}
