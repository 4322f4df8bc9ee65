// SPDX-License-Identifier: MIT
//
// What the rarer keys do.

/** What has the focus inside it, else the first that can be seen. */
function inView(selector: string): HTMLElement | null {
  const focused = document.activeElement?.closest<HTMLElement>(selector)
  if (focused) return focused
  const isSeen = (each: Element): boolean => {
    const { top, bottom } = each.getBoundingClientRect()
    return bottom > 60 && top < innerHeight - 60
  }
  return [...document.querySelectorAll<HTMLElement>(selector)].find(isSeen) ?? null
}

export function toContents(): void {
  const lists = [...document.querySelectorAll<HTMLElement>('.contents')]
  const shown = lists.find((list) => list.offsetParent !== null)
  if (shown instanceof HTMLDetailsElement) shown.open = true
  const first = shown?.querySelector<HTMLElement>('a[href]')
  first?.focus()
  first?.scrollIntoView({ block: 'nearest' })
}

export function copyInView(): void {
  inView('figure:has(.copy), contig-cell')?.querySelector<HTMLElement>('.copy')?.click()
}

export function lineInView(): void {
  const figure = inView('.listing[id]:has(pre), .source-page')
  if (figure) void import('./lines.ts').then(({ chooseLine }) => chooseLine(figure))
}
