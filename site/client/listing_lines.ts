// SPDX-License-Identifier: MIT
//
// The lines of a listing as they stand in the page: their numbers in the file, and where they are.

export interface ListingLines {
  readonly block: HTMLElement
  readonly code: HTMLElement
  readonly texts: readonly string[]
  /** The number in the file; null for ⟨a nested region⟩. */
  readonly numbers: readonly (number | null)[]
  /** Pixels from the top of `code`. */
  top(index: number): number
  bottom(index: number): number
  /** The line at a height of the window; null for one without a number. */
  at(clientY: number): number | null
  /** The line of a number of the file; for one inside a nested region, the next that is here; null behind the end. */
  indexOf(number: number): number | null
  /** The first that is in the window. */
  firstSeen(): number
  /** Scrolls until it can be seen; `isFar` brings it to the upper third. */
  show(index: number, isFar?: boolean): void
}

/** A line that is chosen by keyboard stays so far from the window's edges, in pixels. */
const EDGE = 60

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
  const codeTop = (): number => code.getBoundingClientRect().top
  return {
    block,
    code,
    texts,
    numbers,
    top: (index) => box(index).top - codeTop(),
    bottom: (index) => box(index).bottom - codeTop(),
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
    show(index, isFar = false) {
      const { top, bottom } = box(index)
      if (isFar) scrollBy(0, top - innerHeight / 3)
      else if (top < EDGE) scrollBy(0, top - EDGE)
      else if (bottom > innerHeight - EDGE) scrollBy(0, bottom - innerHeight + EDGE)
    },
  }
}
