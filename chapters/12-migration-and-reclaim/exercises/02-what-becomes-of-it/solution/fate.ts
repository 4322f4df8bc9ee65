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

export function fate({ kind, lru, dirty, mapped, refs }: Page, kernel: Kernel): Fate {
  const held = refs > mapped + (kind === 'file' ? 1 : 0)
  if (!lru || (kind === 'anonymous' && held && kernel === '6.12')) return 'is passed over'
  if (held) return 'is tried in vain'
  return kind === 'file' && !dirty && kernel !== '3.5' ? 'is dropped' : 'moves'
}
