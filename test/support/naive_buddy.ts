// SPDX-License-Identifier: MIT
//
// The page allocator as plainly as it can be said, for comparison: free blocks are objects, lists are arrays, everything is
// searched from the start. Written from the contracts MC-9, not from code/mm.
import type { KernelVersion } from '../../code/lib/kernel_version.ts'

interface Block {
  pfn: number
  order: number
  /** Letter of the list that it is on. */
  type: string
}

const AT_LEAST = ['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117']

export class NaiveBuddy {
  /** Free blocks, the one that is given first is first. */
  blocks: Block[] = []
  /** Type of each pageblock. */
  readonly types: string[]
  /** Pages of programs. */
  readonly movable = new Set<number>()

  readonly kernel: KernelVersion
  readonly blockOrder: number
  readonly maxOrder: number

  constructor(kernel: KernelVersion, pages: number, blockOrder: number, maxOrder: number) {
    this.kernel = kernel
    this.blockOrder = blockOrder
    this.maxOrder = maxOrder
    this.types = Array.from({ length: pages >> blockOrder }, () => 'M')
  }

  private since(version: KernelVersion): boolean {
    return AT_LEAST.indexOf(this.kernel) >= AT_LEAST.indexOf(version)
  }

  private typeAt(pfn: number): string {
    return this.types[pfn >> this.blockOrder]!
  }

  private list(order: number, type: string): Block[] {
    return this.blocks.filter((block) => block.order === order && block.type === type)
  }

  count(type?: string): number {
    return this.blocks
      .filter((block) => type === undefined || block.type === type)
      .reduce((sum, block) => sum + 2 ** block.order, 0)
  }

  free(pfn: number, order: number, type = this.typeAt(pfn)): void {
    let buddy: Block | undefined
    const buddyOf = () =>
      this.blocks.find((block) => block.pfn === (pfn ^ (1 << order)) && block.order === order)
    while (order < this.maxOrder && (buddy = buddyOf()) && this.mayMerge(pfn ^ (1 << order), order, type)) {
      this.blocks.splice(this.blocks.indexOf(buddy), 1)
      pfn = Math.min(pfn, buddy.pfn)
      order++
    }
    if (this.likely(pfn, order)) this.blocks.push({ pfn, order, type })
    else this.blocks.unshift({ pfn, order, type })
  }

  private mayMerge(buddy: number, order: number, type: string): boolean {
    const other = this.typeAt(buddy)
    if (order < this.blockOrder || other === type || !this.since('4.6')) return true
    if (!this.since('6.1.192')) return type !== 'I' && other !== 'I'
    if (!'UMR'.includes(type) || !'UMR'.includes(other)) return false
    if (this.since('6.12.117')) this.paint(buddy, order, type)
    return true
  }

  private likely(pfn: number, order: number): boolean {
    if (order > this.maxOrder - 2) return false
    const size = 2 ** order
    if (!this.since('3.9') && pfn % (2 * size) !== 0) return false
    const above = (pfn - (pfn % (2 * size))) ^ (2 * size)
    return this.blocks.some((block) => block.pfn === above && block.order === order + 1)
  }

  private paint(pfn: number, order: number, type: string): void {
    for (let at = pfn; at < pfn + 2 ** order; at += 2 ** this.blockOrder)
      this.types[at >> this.blockOrder] = type
  }

  alloc(order: number, type: string, mayUseCma: boolean): number | null {
    const cma = () => (mayUseCma ? this.smallest(order, 'C') : null)
    if (this.since('6.1.192') && mayUseCma && this.count('C') > Math.floor(this.count() / 2)) {
      const found = cma()
      if (found !== null) return found
    }
    const own = this.smallest(order, type)
    if (own !== null) return own
    if (!this.since('4.6')) return this.fallback3(order, type)
    return cma() ?? (this.since('6.12.117') ? this.claimOrSteal(order, type) : this.fallback(order, type))
  }

  private smallest(order: number, type: string): number | null {
    for (let from = order; from <= this.maxOrder; from++) {
      const block = this.list(from, type)[0]
      if (block) return this.cut(block, order, type)
    }
    return null
  }

  private cut(block: Block, order: number, rest: string): number {
    this.blocks.splice(this.blocks.indexOf(block), 1)
    for (let half = block.order - 1; half >= order; half--) {
      this.blocks.unshift({ pfn: block.pfn + 2 ** half, order: half, type: rest })
    }
    return block.pfn
  }

  private first(order: number, type: string): Block | undefined {
    const rows: Record<string, string> = {
      U: 'RM',
      R: 'UM',
      M: this.since('4.6') ? 'RU' : 'CRU',
    }
    return [...rows[type]!].map((other) => this.list(order, other)[0]).find((block) => block)
  }

  private stealable(order: number, type: string): boolean {
    return order >= Math.floor(this.blockOrder / 2) || type !== 'M'
  }

  private inBlock(pfn: number): Block[] {
    const size = 2 ** this.blockOrder
    const start = pfn - (pfn % size)
    return this.blocks
      .filter((block) => block.pfn >= start && block.pfn < start + size)
      .sort((a, b) => a.pfn - b.pfn)
  }

  private enough(pfn: number, type: string): boolean {
    const size = 2 ** this.blockOrder
    const start = pfn - (pfn % size)
    const free = this.inBlock(pfn).reduce((sum, block) => sum + 2 ** block.order, 0)
    const movable = [...this.movable].filter((page) => page >= start && page < start + size).length
    let alike = 0
    if (this.since('4.12.4'))
      alike = type === 'M' ? movable : this.typeAt(pfn) === 'M' ? size - free - movable : 0
    return free + alike >= size / 2
  }

  // Head or tail of the new list, by version.
  private move(block: Block, type: string): void {
    this.blocks.splice(this.blocks.indexOf(block), 1)
    block.type = type
    if (this.since('6.1.192')) this.blocks.push(block)
    else this.blocks.unshift(block)
  }

  private moveAll(pfn: number, type: string): void {
    for (const block of this.inBlock(pfn)) this.move(block, type)
  }

  private fallback3(order: number, type: string): number | null {
    for (let from = this.maxOrder; from >= order; from--) {
      const block = this.first(from, type)
      if (!block) continue
      if (block.type === 'C') return this.cut(block, order, 'C')
      if (from >= Math.floor(this.blockOrder / 2) || type === 'R') {
        const pages =
          from >= this.blockOrder ? 2 ** from : this.inBlock(block.pfn).reduce((n, b) => n + 2 ** b.order, 0)
        if (from >= this.blockOrder) this.move(block, type)
        else this.moveAll(block.pfn, type)
        if (pages >= 2 ** (this.blockOrder - 1)) this.types[block.pfn >> this.blockOrder] = type
      }
      if (from >= this.blockOrder) this.paint(block.pfn, from, type)
      return this.cut(block, order, type)
    }
    return null
  }

  private fallback(order: number, type: string): number | null {
    for (let from = this.maxOrder; from >= order; from--) {
      let block = this.first(from, type)
      if (!block) continue
      if (!this.stealable(from, type) && this.since('6.1.192')) {
        for (from = order; !(block = this.first(from, type));) from++
      }
      if (from >= this.blockOrder) {
        this.paint(block.pfn, from, type)
        this.move(block, type)
        // 4.6 takes what it found; the others look again, and find it.
      } else if (this.stealable(block.order, type)) {
        const claims = this.enough(block.pfn, type)
        this.moveAll(block.pfn, type)
        if (claims) this.types[block.pfn >> this.blockOrder] = type
      } else this.move(block, type)
      return this.kernel === '4.6' ? this.cut(block, order, type) : this.smallest(order, type)
    }
    return null
  }

  private claimOrSteal(order: number, type: string): number | null {
    for (let from = this.maxOrder; from >= order; from--) {
      const block = this.first(from, type)
      if (!block) continue
      if (!this.stealable(from, type)) break
      if (from >= this.blockOrder) {
        this.paint(block.pfn, from, type)
        return this.cut(block, order, type)
      }
      if (!this.enough(block.pfn, type)) continue
      this.moveAll(block.pfn, type)
      this.types[block.pfn >> this.blockOrder] = type
      return this.smallest(order, type)
    }
    for (let from = order; from <= this.maxOrder; from++) {
      const block = this.first(from, type)
      if (block) return this.cut(block, order, block.type)
    }
    return null
  }
}
