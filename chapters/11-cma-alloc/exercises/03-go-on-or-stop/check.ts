// SPDX-License-Identifier: MIT
//
// The reader's search() and the model's cma_alloc() on the same areas: which places they try, what the bits are then and
// afterwards, and what is told in the end.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { bitmap_clear, bitmap_find_next_zero_area_off, bitmap_set, bitmap_weight, bitmap_zalloc } from 'contiguous/lib/bitmap'
import { EBUSY, EINTR, ENOMEM } from 'contiguous/lib/errno'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { startSystem, type System } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import type { ActiveCma } from 'contiguous/mm/cma_declare'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'search.ts'
const READ = 'From a place to pages'
const RUNS = 200
const BITS = 2048
const ATTEMPTS = 4096
const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x10000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		area@48000000 { compatible = "shared-dma-pool"; reusable; reg = <0x0 0x48000000 0x0 0x800000>; };
	};
};`

/** Bits that others have, the buffer, and what each place answers. */
interface Drawn {
  readonly rows: readonly (readonly [number, number])[]
  readonly count: number
  readonly align: number
  answer(bit: number): number
}

interface Run {
  readonly tried: number[]
  readonly rets: number[]
  bit: number
  ret: number
  /** An attempt at a place whose bits were clear. */
  late: boolean
  /** Bits set afterwards. */
  weight: number
}

type Search = (area: Record<string, unknown>) => { bit: unknown; ret: unknown }

export async function check(context: CheckContext): Promise<CheckResult> {
  const search = context.kind === 'typescript' ? context.module['search'] : undefined
  if (typeof search !== 'function')
    return { findings: [finding('ex-export-missing', 'search is not an exported function', [])] }
  const { tree } = parseDts(BOARD, 'board.dts')
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const rng = createRng(11)
  let attempts = 0
  for (let run = 0; run < RUNS; run++) {
    const drawn = draw(rng)
    const right = byModel(system, drawn)
    const found = compare(drawn, right, byReader(search as Search, drawn))
    if (found) return { findings: [found] }
    attempts += right.tried.length
  }
  return { findings: [], shown: [`${RUNS} searches with ${attempts} attempts, each as the kernel makes it`] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

function draw(rng: Rng): Drawn {
  const rows = Array.from({ length: rng.next(5) }, () => [rng.next(BITS - 64), 1 + rng.next(64)] as const)
  const count = 1 + rng.next(700)
  const align = rng.next(9)
  const ends = [0, 0, -ENOMEM, -EINTR]
  const last = ends[rng.next(ends.length)]!
  // Busy for so many attempts, then the end; in some areas nothing but busy places.
  const busy = rng.next(3) === 0 ? Infinity : rng.next(6)
  let attempt = 0
  return { rows, count, align, answer: () => (attempt++ < busy ? -EBUSY : last) }
}

// The same answers for both, in the order of the attempts.
function replayed(drawn: Drawn, rets: readonly number[]): (at: number) => number {
  return (at) => rets[at] ?? drawn.answer(at)
}

function byModel(system: System, drawn: Drawn): Run {
  const area = system.cma[0] as ActiveCma
  bitmap_clear(area.bitmap, 0, BITS)
  for (const [from, length] of drawn.rows) bitmap_set(area.bitmap, from, length)
  const run: Run = { tried: [], rets: [], bit: -1, ret: 0, late: false, weight: 0 }
  const before = system.printk.lines.length
  const pfn = cma_alloc(system.vm, area, drawn.count, drawn.align, false, (_vm, start) => {
    run.tried.push(start - area.base_pfn)
    const ret = drawn.answer(start - area.base_pfn)
    run.rets.push(ret)
    return ret
  })
  run.bit = pfn === null ? -1 : pfn - area.base_pfn
  const said = system.printk.lines.slice(before).find((line) => line.includes('alloc failed'))
  run.ret = said === undefined ? 0 : Number(/ret: (-\d+)$/.exec(said)![1])
  run.weight = bitmap_weight(area.bitmap, BITS)
  return run
}

function byReader(search: Search, drawn: Drawn): (right: Run) => Run {
  return (right) => {
    const bitmap = bitmap_zalloc(BITS)
    for (const [from, length] of drawn.rows) bitmap_set(bitmap, from, length)
    const mask = 2 ** drawn.align - 1
    const answer = replayed(drawn, right.rets)
    const run: Run = { tried: [], rets: [], bit: -1, ret: 0, late: false, weight: 0 }
    const end = search({
      count: drawn.count,
      mask,
      find(start: number) {
        // The areas begin at a multiple of any alignment that is drawn, so the offset is 0.
        const bit = bitmap_find_next_zero_area_off(bitmap, BITS, start, drawn.count, mask, 0)
        return bit < BITS && bit + drawn.count <= BITS ? bit : -1
      },
      set: (bit: number) => bitmap_set(bitmap, bit, drawn.count),
      clear: (bit: number) => bitmap_clear(bitmap, bit, drawn.count),
      take(bit: number) {
        if (run.tried.length >= ATTEMPTS) throw new Error('search: no end after 4096 attempts; does start grow?')
        const own = bitmap_zalloc(BITS)
        bitmap_set(own, bit, drawn.count)
        if (!own.words.every((word, i) => (word & bitmap.words[i]!) >>> 0 === word)) run.late = true
        const ret = answer(run.tried.length)
        run.tried.push(bit)
        run.rets.push(ret)
        return ret
      },
    })
    run.bit = Number(end.bit)
    run.ret = Number(end.ret)
    run.weight = bitmap_weight(bitmap, BITS)
    return run
  }
}

// The first of a list that may be long.
const SHOWN = 8
const some = (list: readonly number[]): string =>
  (list.slice(0, SHOWN).join(', ') || 'none') + (list.length > SHOWN ? `, … ${list.length} in all` : '')

function compare(drawn: Drawn, right: Run, reader: (right: Run) => Run): Finding | null {
  const yours = reader(right)
  const tell = ({ tried, bit, ret }: Run) => `places ${some(tried)}; bit ${bit}, ret ${ret}`
  const evidence = [
    `${drawn.count} pages, align ${drawn.align}, attempts give ${some(right.rets)}`,
    `expected  ${tell(right)}`,
    `yours     ${tell(yours)}`,
  ]
  const at = (rule: string, text: string) => finding(rule, text, evidence)
  if (yours.late) return at('ex-bits-set-late', 'at the moment of take() the bits of the place are clear: somebody else may try it too')
  const found = places(drawn, right, yours)
  if (found) return at(...found)
  if (yours.bit !== right.bit || yours.ret !== right.ret)
    return at('ex-error-forgotten', 'the places are right, and what is told in the end is not what the last attempt gave')
  if (yours.weight !== right.weight)
    return at('ex-bits-left-set', 'the bits of a place that could not be had are set afterwards: the area has shrunk')
  return null
}

function places(drawn: Drawn, right: Run, yours: Run): [string, string] | null {
  if (yours.tried.join() === right.tried.join()) return null
  if (yours.tried.length === 0) return ['ex-nothing-tried', 'there is a place, and take() is never called']
  const same = right.tried.findIndex((bit, i) => yours.tried[i] !== bit)
  if (same < 0) return ['ex-error-goes-on', 'after an error that is not -EBUSY you try another place; it would be no different there']
  if (yours.tried.length === same)
    return yours.weight > right.weight && yours.rets.at(-1) === -EBUSY && !yours.tried.some((bit) => bit === yours.bit)
      ? ['ex-bits-left-set', 'the bits of a place that was busy stay set, and the next search finds them in its way']
      : ['ex-busy-is-the-end', 'after -EBUSY you give up, and the next place would have been tried']
  const [before = 0, next = 0] = [yours.tried[same - 1], yours.tried[same]]
  if (next >= before + drawn.count && next > right.tried[same]!)
    return yours.weight > right.weight
      ? ['ex-bits-left-set', 'the bits of a place that was busy stay set, and the next search finds them in its way']
      : ['ex-steps-by-length', 'you go on behind the whole buffer; the busy page may have been its first']
  return ['ex-another-place', `attempt ${same + 1} is at bit ${next}, the kernel’s at ${right.tried[same]}`]
}
