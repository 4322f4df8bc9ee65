// SPDX-License-Identifier: MIT
//
// Addresses of lines. In a chapter `#listing-name:L120` or `…:L120-L124`, the lines of the file that the listing is of; on a
// source page `#L10` or `#L10-L20`. In a listing the HTML has a number on each fifth line and behind each gap: the rest is counted.
import { announce } from './announce.ts'
import css from './lines.css'
import { findingWords } from './finding_words.ts'
import { type ListingLines, linesOf } from './listing_lines.ts'
import { rowsOf } from './source_lines.ts'
import { useStyles } from './styles.ts'
import { fill, wordsOf } from './words.ts'

useStyles(css)
const words = (await findingWords()).lines

interface Chosen {
  /** A listing, or the file of a source page. */
  readonly figure: HTMLElement
  readonly lines: ListingLines
  /** The first line that was chosen, and the last: indexes into the listing, in either order. */
  anchor: number
  end: number
}

let chosen: Chosen | null = null

const linesIn = (figure: HTMLElement): ListingLines =>
  figure.matches('.source-page') ? rowsOf(figure) : linesOf(figure)

const addressOf = (first: number, last: number): string =>
  first === last ? `L${first}` : `L${first}-L${last}`

/** Null for what was cut off or mistyped and is no text. */
function decoded(text: string): string | null {
  try {
    return decodeURI(text)
  } catch {
    return null
  }
}

/** Both ends of what an address names, the smaller first. */
function rangeIn(hash: string): { owner: string; first: number; last: number } | null {
  const match = /^#(?:(.+):)?L(\d+)(?:-L(\d+))?$/.exec(hash)
  const owner = decoded(match?.[1] ?? '')
  if (!match || owner === null) return null
  const ends = [Number(match[2]), Number(match[3] ?? match[2])]
  return { owner, first: Math.min(...ends), last: Math.max(...ends) }
}

function setHash(hash: string): void {
  history.replaceState(history.state, '', hash)
}

function draw(): void {
  if (!chosen) return
  const { lines, anchor, end } = chosen
  lines.mark(Math.min(anchor, end), Math.max(anchor, end))
}

function say(): void {
  if (!chosen) return
  const { lines, anchor, end } = chosen
  const [first, last] = [Math.min(anchor, end), Math.max(anchor, end)]
  const [from, to] = [lines.numbers[first] ?? 0, lines.numbers[last] ?? 0]
  setHash(`#${lines.name && `${lines.name}:`}${addressOf(from, to)}`)
  announce(
    first === last
      ? fill(words.chosen, { line: from, text: lines.texts[first]?.trim() ?? '' })
      : fill(words.range, { first: from, last: to }),
  )
}

function choose(figure: HTMLElement, at: number, extend: boolean): void {
  if (extend && chosen?.figure === figure) chosen.end = at
  else {
    const lines = chosen?.figure === figure ? chosen.lines : linesIn(figure)
    endChoice()
    chosen = { figure, lines, anchor: at, end: at }
    lines.block.addEventListener('keydown', onKey)
    lineButton(figure)?.replaceChildren(words.copyLink)
  }
  draw()
}

const lineButton = (figure: HTMLElement): HTMLElement | null =>
  figure.querySelector('.tools button:nth-child(2)')

function endChoice(): void {
  if (!chosen) return
  chosen.lines.block.removeEventListener('keydown', onKey)
  lineButton(chosen.figure)?.replaceChildren(wordsOf('copy').line)
  chosen.lines.unmark()
  chosen = null
}

function copyAddress(): void {
  const written = navigator.clipboard?.writeText(location.href) ?? Promise.reject(new Error('no clipboard'))
  written.then(
    () => announce(words.copied),
    () => announce(words.refused),
  )
}

function onKey(event: KeyboardEvent): void {
  if (!chosen || event.ctrlKey || event.metaKey || event.altKey) return
  const { lines, end, figure } = chosen
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step !== undefined) {
    let next = end + step
    // A nested region has no number of its own here.
    while (lines.numbers[next] === null) next += step
    if (lines.numbers[next] === undefined) return event.preventDefault()
    choose(figure, next, event.shiftKey)
    say()
    lines.show(next)
  } else if (event.key === 'Enter') copyAddress()
  else if (event.key === 'Escape') {
    endChoice()
    announce(words.ended)
  } else return
  event.preventDefault()
}

/** Begins to choose in a listing or a file, or copies what is chosen there already. */
export function chooseLine(figure: HTMLElement): void {
  if (chosen?.figure === figure) return copyAddress()
  const lines = linesIn(figure)
  const first = lines.firstSeen()
  choose(figure, first, false)
  say()
  lines.block.focus({ preventScroll: true })
  announce(`${fill(words.chosen, { line: lines.numbers[first] ?? 0, text: '' })} ${words.keys}`)
}

/** A click beside the code of a listing, or on a number of a source page. */
export function clicked(event: MouseEvent, at: HTMLElement): void {
  const figure = at.closest<HTMLElement>('figure, .source-page')
  if (!figure) return
  const line = linesIn(figure).at(event.clientY)
  if (line === null) return
  choose(figure, line, event.shiftKey)
  say()
}

/** Once lines are being chosen, a tap on one chooses it, where there is no room for numbers. */
addEventListener('click', (event) => {
  const block = event.target instanceof Element ? event.target.closest<HTMLElement>('pre.code') : null
  const isBeside = block && event.clientX < (block.firstElementChild?.getBoundingClientRect().left ?? 0)
  if (!chosen || block !== chosen.lines.block || isBeside || !getSelection()?.isCollapsed) return
  clicked(event, block)
})

/** Marks what the address of the page names, and brings it into sight. */
export function showAddressed(): void {
  const range = rangeIn(location.hash)
  if (!range) return
  const figure =
    range.owner === ''
      ? document.querySelector<HTMLElement>('.source-page')
      : document.getElementById(range.owner)
  if (!figure?.matches('.listing:has(pre), .source-page')) return
  const lines = linesIn(figure)
  const [first, last] = [lines.indexOf(range.first), lines.indexOf(range.last)]
  if (first === null || last === null) return figure.scrollIntoView()
  choose(figure, first, false)
  choose(figure, last, true)
  lines.show(first, true)
}
addEventListener('resize', draw)
