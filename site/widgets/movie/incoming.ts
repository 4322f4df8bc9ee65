// SPDX-License-Identifier: MIT
//
// Ways in for a trace: a file that is dropped on the page or on a part of it, a text that is pasted there. Nothing leaves
// the page.

/** `take` gets the file, and a name for it. @returns undoes it all */
export function listenForFiles(
  place: Document | HTMLElement,
  take: (file: Blob, name: string | null) => void,
  over: (is: boolean) => void,
): () => void {
  const ended = new AbortController()
  const { signal } = ended
  // Both have these events, and neither type says so of the other.
  const listen = <K extends 'dragover' | 'dragleave' | 'drop' | 'paste'>(
    type: K,
    listener: (event: DocumentEventMap[K]) => void,
  ): void => place.addEventListener(type, listener as EventListener, { signal })
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
  // A file that is let go beside the place does not take the reader from the page.
  document.addEventListener(
    'dragover',
    (event) => {
      if (event.defaultPrevented || !hasFile(event)) return
      event.preventDefault()
      event.dataTransfer!.dropEffect = 'none'
    },
    { signal },
  )
  listen('dragover', (event) => {
    if (!hasFile(event)) return
    // Else the browser would leave the page for the file.
    event.preventDefault()
    over(true)
  })
  listen('dragleave', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && place.contains(relatedTarget))) over(false)
  })
  listen('drop', (event) => {
    over(false)
    const file = event.dataTransfer?.files[0]
    if (!file) return
    event.preventDefault()
    take(file, file.name)
  })
  listen('paste', (event) => {
    if ((event.target as Element).closest('textarea, [contenteditable], input:not([type=range])')) return
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (text.includes('\n')) take(new Blob([text]), null)
  })
  return () => ended.abort()
}
