// SPDX-License-Identifier: MIT
//
// Finds the least area of each list by booting modelled machines, and asks the reader's areaFor() the same. When they
// differ, it looks for a single mistake that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const FILE = 'size_area.ts'
const READ = 'One page that stays'

const LISTS: readonly (readonly number[])[] = [
  [MiB(1)],
  [MiB(1), MiB(2), MiB(3)],
  [KiB(640)],
  [KiB(512)],
  [KiB(600), KiB(600), KiB(600)],
  [KiB(300), KiB(300), KiB(300), KiB(300), KiB(300), KiB(300)],
  [MiB(3), KiB(128), KiB(128), KiB(256)],
  [MiB(1) + KiB(4), MiB(1) + KiB(4), KiB(700)],
  [MiB(5), MiB(5)],
  [MiB(5) + KiB(100), KiB(64), MiB(4)],
  Array.from({ length: 20 }, () => KiB(128)),
]

export async function check(context: CheckContext): Promise<CheckResult> {
  const areaFor = context.kind === 'typescript' ? context.module['areaFor'] : undefined
  if (typeof areaFor !== 'function') {
    return { findings: [finding('ex-export-missing', 'areaFor is not an exported function', [])] }
  }
  const answers = LISTS.map((list) => ({
    list,
    expected: leastArea(list),
    given: (areaFor as (list: readonly number[]) => unknown)([...list]),
  }))
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0) {
    return { findings: [], shown: answers.map(({ list, expected }) => `${told(list)}: cma=${expected}M`) }
  }
  const evidence = wrong
    .slice(0, 3)
    .map(({ list, expected, given }) => `${told(list)}: ${expected} MiB, yours ${String(given)}`)
  if (answers.every(({ given }) => given === 0)) {
    return { findings: [finding('ex-not-written', 'every list gets an area of 0 MiB', evidence)] }
  }
  const found = MISTAKES.find(({ slip }) => answers.every(({ list, given }) => given === byRules(list, slip)))
  if (found) return { findings: [finding(found.rule, found.text, evidence)] }
  const text = `${wrong.length} of ${answers.length} lists get another area than they need`
  return { findings: [finding('ex-other-area', text, evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const told = (list: readonly number[]): string => list.map((bytes) => `${bytes / 1024} KiB`).join(', ')

// #region the oracle
/** The first area in which all of them lie. Unit: MiB. */
function leastArea(list: readonly number[]): number {
  for (let mib = 2; mib <= 64; mib += 2) if (holds(list, mib)) return mib
  throw new Error(`leastArea: ${told(list)} do not fit into 64 MiB`)
}

function holds(list: readonly number[], mib: number): boolean {
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`,
    'board.dts',
  )
  const cmdline = `cma=${mib}M@0x50000000`
  const { dma } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline, image: null })
  const dev = createDevice('camera', null)
  return list.every((bytes) => {
    const at = dma_alloc_coherent(dma, dev, bytes, GFP_KERNEL)?.dma_handle ?? 0
    return at >= 0x5000_0000 && at + bytes <= 0x5000_0000 + MiB(mib)
  })
}
// #endregion the oracle

// #region known mistakes
/** What differs from the right rules. */
interface Slip {
  readonly pools?: number
  readonly unaligned?: true
  readonly powers?: true
  readonly oneAlignment?: true
  readonly uncapped?: true
  readonly nextFit?: true
  readonly block?: number
}

function byRules(list: readonly number[], slip: Slip): number {
  const taken = [{ start: 0, end: slip.pools ?? 96 }]
  for (const bytes of list) {
    const pages = Math.ceil(bytes / 4096)
    const power = 2 ** Math.ceil(Math.log2(pages))
    const count = slip.powers ? power : pages
    const capped = slip.uncapped ? power : Math.min(power, 256)
    const align = slip.unaligned ? 1 : slip.oneAlignment ? 256 : capped
    const behind = Math.max(...taken.map(({ end }) => end))
    let start = slip.nextFit ? Math.ceil(behind / align) * align : 0
    while (taken.some((each) => start < each.end && start + count > each.start)) start += align
    taken.push({ start, end: start + count })
  }
  const end = Math.max(...taken.map((each) => each.end))
  const block = slip.block ?? 512
  return (Math.ceil(end / block) * block) / 256
}

const MISTAKES: readonly { rule: string; text: string; slip: Slip }[] = [
  {
    rule: 'ex-alignment-forgotten',
    text: 'the sizes are added up; a buffer begins at a multiple of its alignment, and what is skipped may stay empty',
    slip: { unaligned: true },
  },
  {
    rule: 'ex-pools-forgotten',
    text: 'the first buffer begins at the first page; the kernel’s own pools are there before any driver',
    slip: { pools: 0 },
  },
  {
    rule: 'ex-powers-of-two',
    text: 'each buffer is given a power of two; that is the page allocator’s way, and CMA takes as many pages as were asked for',
    slip: { powers: true },
  },
  {
    rule: 'ex-one-alignment',
    text: 'every buffer is aligned to 256 pages; that is the most, and a smaller one is aligned to less',
    slip: { oneAlignment: true },
  },
  {
    rule: 'ex-alignment-uncapped',
    text: 'a large buffer is aligned to its own size; CONFIG_CMA_ALIGNMENT caps that',
    slip: { uncapped: true },
  },
  {
    rule: 'ex-gaps-unused',
    text: 'each buffer is put behind the one before; CMA searches from the start each time and finds what was skipped',
    slip: { nextFit: true },
  },
  {
    rule: 'ex-not-a-pageblock',
    text: 'the area is a whole number of MiB; it is a whole number of pageblocks',
    slip: { block: 256 },
  },
]
// #endregion known mistakes
