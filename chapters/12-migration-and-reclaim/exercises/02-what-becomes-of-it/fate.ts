/** A page before its range is emptied. */
interface Page {
  readonly kind: 'anonymous' | 'file'
  /** Whether it is on an LRU list. */
  readonly lru: boolean
  readonly dirty: boolean
  readonly mapped: number
  readonly refs: number
}

type Kernel = '3.5' | '3.9' | '6.12'
type Fate = 'moves' | 'is dropped' | 'is passed over' | 'is tried in vain'

export function fate(page: Page, kernel: Kernel): Fate {
  if (!page.lru) return 'is passed over'
  if (page.kind === 'file' && !page.dirty && kernel !== '3.5') return 'is dropped'
  return 'moves'
}
