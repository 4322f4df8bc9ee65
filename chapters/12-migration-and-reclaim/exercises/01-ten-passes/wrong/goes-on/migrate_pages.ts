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
  let left = [...pages]
  let failed = 0
  let retry = 1
  for (let pass = 0; pass < 10 && retry > 0; pass++) {
    retry = 0
    for (const page of [...left]) {
      const rc = unmapAndMove(page, pass > 2)
      if (rc === -ENOMEM) continue
      if (rc === -EAGAIN) retry++
      else {
        left = left.filter((each) => each !== page)
        if (rc < 0) failed++
      }
    }
  }
  return { ret: failed + retry, left }
}
