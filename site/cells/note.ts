// SPDX-License-Identifier: MIT
//
// A sentence that belongs to no cell of the page: at the foot of the window, over the page, until it is clicked away or
// Escape is pressed.

export function note(text: string): void {
  const said = document.createElement('p')
  said.className = 'cell-note'
  said.setAttribute('role', 'status')
  document.body.append(said)
  const gone = new AbortController()
  const leave = () => {
    said.remove()
    gone.abort()
  }
  said.addEventListener('click', leave)
  addEventListener('keydown', ({ key }) => key === 'Escape' && leave(), { signal: gone.signal })
  addEventListener('hashchange', leave, { signal: gone.signal })
  // Said when it is there already, or a screen reader does not say it.
  setTimeout(() => (said.textContent = text))
}
