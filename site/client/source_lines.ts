// SPDX-License-Identifier: MIT
//
// The lines of a source page: the rows of its table, each of which is a line.
import { bringIntoSight, type ListingLines } from './listing_lines.ts'

export function rowsOf(page: HTMLElement): ListingLines {
  const block = page.querySelector<HTMLElement>('.rows')
  if (!block) throw new Error(`lines: ${location.pathname} has no rows`)
  const rows = [...block.querySelectorAll('tr')]
  const box = (index: number): DOMRect => rows[index]!.getBoundingClientRect()
  const unmark = (): void => {
    // From now on the script marks, and no longer `:target`, which does not follow it.
    block.dataset['marked'] = ''
    for (const row of block.querySelectorAll('.chosen')) row.classList.remove('chosen')
  }
  return {
    name: '',
    block,
    texts: rows.map((row) => row.cells[1]?.textContent ?? ''),
    numbers: rows.map((_, index) => index + 1),
    mark(first, last) {
      unmark()
      for (const row of rows.slice(first, last + 1)) row.classList.add('chosen')
    },
    unmark,
    at(clientY) {
      const index = rows.findLastIndex((_, line) => box(line).top <= clientY)
      return index < 0 ? null : index
    },
    indexOf: (number) => (rows[number - 1] ? number - 1 : null),
    firstSeen: () =>
      Math.max(
        0,
        rows.findIndex((_, line) => box(line).bottom > 8),
      ),
    show: (index, isFar) => bringIntoSight(box(index), isFar),
  }
}
