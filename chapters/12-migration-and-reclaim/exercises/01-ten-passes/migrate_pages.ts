const EAGAIN = 11
const ENOMEM = 12

/** Tries to move a page: 0, or below 0. */
type UnmapAndMove = (page: number, force: boolean) => number

/** What became of a list: the number of pages that did not move, or -ENOMEM; and the pages that are still on it. */
interface Migrated {
  readonly ret: number
  readonly left: readonly number[]
}

export function migratePages(pages: readonly number[], unmapAndMove: UnmapAndMove): Migrated {
  let failed = 0
  const left: number[] = []
  for (const page of pages) {
    const rc = unmapAndMove(page, false)
    if (rc === -ENOMEM) return { ret: rc, left: [...left, ...pages.slice(pages.indexOf(page))] }
    if (rc === -EAGAIN) left.push(page)
    else if (rc < 0) failed++
  }
  return { ret: failed + left.length, left }
}
