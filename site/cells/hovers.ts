// SPDX-License-Identifier: MIT
//
// What a name of the models means, in a small window beside it: under the pointer, under the finger, and by keyboard, where
// the names of a cell are one stop: arrows go from name to name, Home and End to the first and last, Escape closes. Loaded
// when a reader first points at a cell's code or comes to it by Tab; the told types of the chapter come with it.
import type { Tip, ToldTypes } from './told_types.ts'

/** So long the window stays when the pointer leaves, so that it can be reached. */
const LINGER_MS = 200

const told = new Map<string, Promise<ToldTypes | null>>()

function fetchTold(url: string): Promise<ToldTypes | null> {
  const known = told.get(url)
  if (known) return known
  // A site that is being edited may not have them yet: a cell reads without.
  const asked = fetch(url).then(
    (response) => (response.ok ? (response.json() as Promise<ToldTypes>) : null),
    () => null,
  )
  told.set(url, asked)
  return asked
}

/** Puts a name of the code into an element of its own, inside one piece of text; null when it is in several. */
function wrap(code: HTMLElement, offset: number, length: number): HTMLElement | null {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT)
  let before = 0
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    if (before + node.length <= offset) {
      before += node.length
      continue
    }
    if (before + node.length < offset + length) return null
    const name = node.splitText(offset - before)
    name.splitText(length)
    const element = document.createElement('span')
    element.className = 'told'
    element.tabIndex = -1
    element.setAttribute('role', 'button')
    name.replaceWith(element)
    element.append(name)
    return element
  }
  return null
}

interface Window {
  show(name: HTMLElement, tip: Tip): void
  hideSoon(): void
  hide(): void
}

let shared: Window | null = null

/** One window for the page, outside its text. */
function tipWindow(): Window {
  const box = document.createElement('div')
  box.className = 'cell-tip'
  box.id = 'cell-tip'
  box.setAttribute('role', 'tooltip')
  box.hidden = true
  document.body.append(box)
  let timer: ReturnType<typeof setTimeout> | undefined
  let at: HTMLElement | null = null
  const hide = () => {
    clearTimeout(timer)
    box.hidden = true
    at?.removeAttribute('aria-describedby')
    at = null
  }
  const hideSoon = () => {
    clearTimeout(timer)
    timer = setTimeout(hide, LINGER_MS)
  }
  box.addEventListener('pointerenter', () => clearTimeout(timer))
  box.addEventListener('pointerleave', hideSoon)
  addEventListener('keydown', ({ key }) => key === 'Escape' && hide())
  // A name that took the focus may be scrolled into sight after that: the window goes with it.
  addEventListener('scroll', () => at && place(box, at), { capture: true, passive: true })
  return {
    hide,
    hideSoon,
    show(name, tip) {
      if (at === name) return clearTimeout(timer)
      hide()
      at = name
      fillTip(box, tip)
      box.hidden = false
      name.setAttribute('aria-describedby', box.id)
      place(box, name)
    },
  }
}

function fillTip(box: HTMLElement, [signature, sentence, kernel]: Tip): void {
  const part = (tag: string, text: string) => {
    const made = document.createElement(tag)
    made.textContent = text
    return made
  }
  const parts = [part('code', signature)]
  if (sentence) parts.push(part('p', sentence.replaceAll('`', '')))
  if (kernel) parts.push(part('small', kernel))
  box.replaceChildren(...parts)
}

/** Under the name, or over it where there is no room; within the window's width. */
function place(box: HTMLElement, name: HTMLElement): void {
  const { left, top, bottom } = name.getBoundingClientRect()
  const { width, height } = box.getBoundingClientRect()
  const below = bottom + 6 + height <= innerHeight
  box.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8))}px`
  box.style.top = `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`
}

/** One stop for Tab; the arrows go on from there. */
function addKeys(names: readonly HTMLElement[]): void {
  const first = names[0]
  if (first) first.tabIndex = 0
  for (const [index, name] of names.entries()) {
    name.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
      const ends = { Home: 0, End: names.length - 1 }[event.key]
      const next = names[ends ?? (step === undefined ? -1 : index + step)]
      if (!next) return
      event.preventDefault()
      name.tabIndex = -1
      next.tabIndex = 0
      next.focus()
    })
  }
}

/** Makes the told names of a cell's code answer. `url` is where the types of its chapter are. */
export async function tellTypes(code: HTMLElement, cell: string, url: string): Promise<void> {
  const types = await fetchTold(url)
  const text = code.querySelector<HTMLElement>('pre')
  if (!types || !text) return
  shared ??= tipWindow()
  const { show, hide, hideSoon } = shared
  const names: HTMLElement[] = []
  for (const [offset, length, index] of types.names[cell] ?? []) {
    const tip = types.tips[index]
    const name = tip && wrap(text, offset, length)
    if (!tip || !name) continue
    names.push(name)
    name.addEventListener('pointerenter', () => show(name, tip))
    name.addEventListener('pointerleave', hideSoon)
    name.addEventListener('focus', () => show(name, tip))
    name.addEventListener('blur', hide)
    name.addEventListener('click', () => show(name, tip))
    name.addEventListener('keydown', ({ key }) => (key === 'Enter' || key === ' ') && show(name, tip))
  }
  addKeys(names)
}
