// SPDX-License-Identifier: MIT
//
// The lines of a listing as they stand in the page: their numbers in the file, and where they are.
import { element } from './element.ts'

export interface ListingLines {
  /** What stands before `:L12` in an address: the listing's id; empty on a source page. */
  readonly name: string
  /** What takes the keys. */
  readonly block: HTMLElement
  readonly texts: readonly string[]
  /** The number in the file; null for ⟨a nested region⟩. */
  readonly numbers: readonly (number | null)[]
  /** Marks these and no others. */
  mark(first: number, last: number): void
  unmark(): void
  /** The line at a height of the window; null for one without a number. */
  at(clientY: number): number | null
  /** The line of a number of the file; for one inside a nested region, the next that is here; null behind the end. */
  indexOf(number: number): number | null
  /** The first that is in the window. */
  firstSeen(): number
  /** See `bringIntoSight()`. */
  show(index: number, isFar?: boolean): void
}

/** A line that is chosen by keyboard stays so far from the window's edges, in pixels. */
const EDGE = 60

/** Scrolls until what lies there can be seen; `isFar` brings it to the upper third. */
export function bringIntoSight({ top, bottom }: { top: number; bottom: number }, isFar = false): void {
  if (isFar) scrollBy(0, top - innerHeight / 3)
  else if (top < EDGE) scrollBy(0, top - EDGE)
  else if (bottom > innerHeight - EDGE) scrollBy(0, bottom - innerHeight + EDGE)
}

let made: HTMLElement | null = null

/** What lies over the lines of a listing that are chosen: a line of it has no element of its own. */
function band(): HTMLElement {
  if (made) return made
  made = element('span', { className: 'line-band' })
  made.ariaHidden = 'true'
  return made
}

/** The printed numbers, by line: a span of a numbered line stands where it begins. */
function printedIn(code: HTMLElement): Map<number, number> {
  const printed = new Map<number, number>()
  let line = 0
  for (const node of code.childNodes) {
    const number = node instanceof HTMLElement ? node.dataset['n'] : undefined
    if (number !== undefined) printed.set(line, Number(number))
    line += (node.textContent ?? '').split('\n').length - 1
  }
  return printed
}

/** Every line's number: counted on from the printed ones. What is ⟨so⟩ and nothing else has none. */
export function numbersOf(texts: readonly string[], printed: ReadonlyMap<number, number>): (number | null)[] {
  let last = 0
  return texts.map((text, index) => {
    const isHole = /^\s*⟨[^⟩]+⟩$/.test(text)
    last = printed.get(index) ?? last + (isHole ? 0 : 1)
    return isHole ? null : last
  })
}

/** The text node and offset at which each line begins. */
function beginnings(code: HTMLElement): { node: Text; offset: number }[] {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT)
  const found: { node: Text; offset: number }[] = []
  let isNew = true
  while (walker.nextNode()) {
    const node = walker.currentNode as Text
    for (let offset = 0; offset < node.data.length; offset += 1) {
      if (isNew) found.push({ node, offset })
      isNew = node.data[offset] === '\n'
    }
  }
  return found
}

export function linesOf(figure: HTMLElement): ListingLines {
  const block = figure.querySelector<HTMLElement>('pre.code')
  const code = block?.querySelector<HTMLElement>('code')
  if (!block || !code) throw new Error(`lines: the figure ${figure.id} has no code`)
  const texts = (code.textContent ?? '').split('\n')
  const numbers = numbersOf(texts, printedIn(code))
  const begins = beginnings(code)
  const range = document.createRange()
  const box = (index: number): { top: number; bottom: number } => {
    const { node, offset } = begins[index]!
    range.setStart(node, offset)
    range.setEnd(node, offset + 1)
    const { top, bottom } = range.getBoundingClientRect()
    // The box of a character is lower than its line.
    const rest = (Number.parseFloat(getComputedStyle(code).lineHeight) - (bottom - top)) / 2
    return { top: top - rest, bottom: bottom + rest }
  }
  return {
    name: figure.id,
    block,
    texts,
    numbers,
    mark(first, last) {
      const { top } = box(first)
      code.prepend(band())
      band().style.top = `${top - code.getBoundingClientRect().top}px`
      band().style.height = `${box(last).bottom - top}px`
    },
    unmark: () => band().remove(),
    at(clientY) {
      const index = begins.findLastIndex((_, line) => box(line).top <= clientY)
      return index >= 0 && numbers[index] !== null ? index : null
    },
    indexOf(number) {
      const index = numbers.findIndex((each) => each !== null && each >= number)
      return index < 0 ? null : index
    },
    firstSeen: () =>
      Math.max(
        0,
        numbers.findIndex((each, line) => each !== null && box(line).bottom > 8),
      ),
    show: (index, isFar) => bringIntoSight(box(index), isFar),
  }
}
