// SPDX-License-Identifier: MIT
//
// What a reader may ask for at any moment, each loaded then: search, the sheet of keys, a line's address.
import { kept } from './storage.ts'

const openSearch = (): void => void import('./search_dialog.ts').then(({ open }) => open())
const openKeys = (): void => void import('./keys_sheet.ts').then(({ open }) => open())

const act: Record<string, (() => void) | undefined> = {
  '/': openSearch,
  '?': openKeys,
  n: () => document.querySelector<HTMLElement>('a[rel=next]')?.click(),
  p: () => document.querySelector<HTMLElement>('a[rel=prev]')?.click(),
  h: () => document.querySelector<HTMLElement>('.bar-links a')?.click(),
  t: () => document.querySelector<HTMLElement>('.theme')?.click(),
  c: () => void import('./keys_more.ts').then(({ toContents }) => toContents()),
  y: () => void import('./keys_more.ts').then(({ copyInView }) => copyInView()),
  l: () => void import('./keys_more.ts').then(({ lineInView }) => lineInView()),
}

/** Whoever types means the letter; so does whoever is in a dialog. */
function takesText(target: EventTarget | null): boolean {
  const at = target instanceof HTMLElement ? target : null
  return (
    at !== null &&
    (at.isContentEditable || at.closest('input, textarea, select, dialog, .cell-editor') !== null)
  )
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey) return
  const isChord = event.ctrlKey || event.metaKey
  if (isChord && event.key === 'k' && !event.shiftKey) {
    event.preventDefault()
    return openSearch()
  }
  if (isChord || event.repeat || takesText(event.target) || kept('keys') === 'off') return
  const action = act[event.key]
  if (!action) return
  event.preventDefault()
  action()
})

for (const [selector, open] of [
  ['.bar .search', openSearch],
  ['.shortcuts', openKeys],
] as const) {
  const button = document.querySelector<HTMLElement>(selector)
  button?.addEventListener('click', open)
  // Seen when it does something.
  button?.setAttribute('data-ready', '')
}

// Lines: an address that names one, or a click where the numbers are: beside a listing, in a source page.
const showLines = (): void => {
  if (/[#:]L\d+(?:-L\d+)?$/.test(location.hash))
    void import('./lines.ts').then(({ showAddressed }) => showAddressed())
}
addEventListener('hashchange', showLines)
showLines()
addEventListener('click', (event) => {
  const at = event.target instanceof Element ? event.target : null
  const block = at?.closest<HTMLElement>('.listing[id] pre.code')
  const number = at?.closest<HTMLElement>('.source-page th')
  const beside = block && event.clientX < (block.firstElementChild?.getBoundingClientRect().left ?? 0)
  const where = beside ? block : number
  if (where) void import('./lines.ts').then(({ clicked }) => clicked(event, where))
})
