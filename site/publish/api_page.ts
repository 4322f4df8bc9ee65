// SPDX-License-Identifier: MIT
//
// TypeDoc's pages for those who do not see them: what axe finds in them, mended. They look as before, but for the permalinks that
// section heads showed under a pointer.

/** What its two navigations are called. */
export interface ApiNames {
  readonly course: string
  readonly files: string
}

/** A page of TypeDoc with a main part, navigations with names, headings that skip no level, and no link inside a control. */
export function mendApiPage(html: string, { course, files }: ApiNames): string {
  return stepHeadings(html)
    .replace('<div class="col-content">', '<div class="col-content" role="main">')
    .replace('<div class="page-menu">', '<div class="page-menu" role="complementary">')
    .replaceAll('<aside class="tsd-sources"', '<aside role="note" class="tsd-sources"')
    .replace('<nav id="tsd-sidebar-links"', `$& aria-label="${course}"`)
    .replace('<nav class="tsd-navigation"', `$& aria-label="${files}"`)
    .replace(/<summary\b[\s\S]*?<\/summary>/g, (summary) =>
      summary.replace(/<a\b[^>]*class="tsd-anchor-icon"[\s\S]*?<\/a>/g, ''),
    )
}

/** Each heading told as one level below that which it stands under. TypeDoc goes from its first to its fourth. */
function stepHeadings(html: string): string {
  const above: number[] = []
  return html.replace(/<h([1-6])\b/g, (tag, digit: string) => {
    const level = Number(digit)
    while (above.length > 0 && above.at(-1)! >= level) above.pop()
    above.push(level)
    return above.length === level ? tag : `${tag} aria-level="${above.length}"`
  })
}
