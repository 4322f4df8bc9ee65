// SPDX-License-Identifier: MIT
//
// Asks the reader's choose() about devices, and modelled boards what a pool or a region takes from MemTotal and what the page
// allocator has. When they differ, it looks for a single mistake that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { createRng } from 'contiguous/lib/rng'
import { MiB } from 'contiguous/lib/units'
import { procMeminfo } from 'contiguous/machine/proc_meminfo'
import { startSystem, type System } from 'contiguous/machine/system'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode, type DeviceTree } from 'contiguous/of/tree'

const FILE = 'choose.ts'
const READ = 'The choice'

interface Need {
  readonly mib: number
  readonly iommu: boolean
  readonly fixed: boolean
  readonly oneDriver: boolean
  readonly atBoot: boolean
  readonly mayFail: boolean
}
interface Choice {
  readonly road: string
  readonly costs: number
}

const PLAIN: Need = { mib: 16, iommu: false, fixed: false, oneDriver: true, atBoot: false, mayFail: false }
const NEEDS: readonly Need[] = [
  { ...PLAIN, mib: 100, iommu: true },
  { ...PLAIN, mib: 2, iommu: true, atBoot: true },
  { ...PLAIN, mib: 3, fixed: true, atBoot: true },
  { ...PLAIN, mib: 3, fixed: true, oneDriver: false, atBoot: true, mayFail: true },
  { ...PLAIN, mib: 4, atBoot: true },
  { ...PLAIN, mib: 3 },
  { ...PLAIN, mib: 5, atBoot: true },
  { ...PLAIN, mib: 100 },
  { ...PLAIN, mib: 100, mayFail: true },
  { ...PLAIN, mib: 1, mayFail: true },
]

// Other devices for other answers, so that none can be written down.
function drawn(text: string): Need[] {
  const rng = createRng([...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7))
  const lot = (): boolean => rng.next(2) === 1
  return Array.from({ length: 6 }, () => ({
    ...{ mib: 1 + rng.next(lot() ? 7 : 120), iommu: rng.next(6) === 0, fixed: rng.next(4) === 0 },
    ...{ oneDriver: lot(), atBoot: lot(), mayFail: lot() },
  })).map((need) => ({ ...need, fixed: need.fixed && !need.iommu }))
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const choose = context.kind === 'typescript' ? context.module['choose'] : undefined
  if (typeof choose !== 'function') {
    return { findings: [finding('ex-export-missing', 'choose is not an exported function', [])] }
  }
  const answers = [...NEEDS, ...drawn(context.files[FILE] ?? '')].map((need) => ({
    need,
    expected: first(need),
    given: ((choose as (need: Need) => unknown)({ ...need }) ?? {}) as Choice,
  }))
  const wrong = answers.filter(({ expected, given }) => !same(expected, given))
  if (wrong.length === 0) {
    return { findings: [], shown: answers.map(({ need, expected }) => `${told(need)}: ${answer(expected)}`) }
  }
  const evidence = wrong.slice(0, 3).map(({ need, expected, given }) => {
    return `${told(need)}: ${answer(expected)}, yours ${answer(given)}`
  })
  const found = MISTAKES.find(({ slip }) => answers.every(({ need, given }) => same(slip(need), given)))
  if (found) return { findings: [finding(found.rule, found.text, evidence)] }
  const text = `${wrong.length} of ${answers.length} devices get another answer than the first that fits`
  return { findings: [finding('ex-other-answer', text, evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const same = (one: Choice, other: Choice): boolean => one.road === other.road && one.costs === other.costs
const answer = ({ road, costs }: Choice): string => `${String(road)} for ${String(costs)} MiB`

function told({ mib, iommu, fixed, oneDriver, atBoot, mayFail }: Need): string {
  const words = [
    `${mib} MiB`,
    iommu ? 'IOMMU' : '',
    fixed ? `one address, ${oneDriver ? 'one driver' : 'DMA API'}` : '',
    ...[atBoot ? 'at boot' : 'later', mayFail ? 'may fail' : 'may not fail'],
  ]
  return words.filter((word) => word !== '').join(', ')
}

// #region the oracle
function first(need: Need): Choice {
  if (need.iommu) return { road: 'pages', costs: 0 }
  if (need.fixed) return need.oneDriver ? { road: 'region', costs: regionCosts(need.mib) } : pool(need)
  if (need.atBoot && pageAllocatorHas(need.mib)) return { road: 'buddy', costs: 0 }
  return need.mayFail ? { road: 'area', costs: 0 } : pool(need)
}

const POOLS = new Map<number, number>()

/** The smallest pool that hands the buffer out, found by halves: a larger one does too. */
function pool({ mib }: Need): Choice {
  let [least, most] = [mib, POOLS.get(mib) ?? 2 * mib]
  while (!POOLS.has(mib) && least < most) {
    const middle = Math.floor((least + most) / 2)
    if (poolHas(middle, mib)) most = middle
    else least = middle + 1
  }
  POOLS.set(mib, most)
  return { road: 'pool', costs: most }
}

function poolHas(size: number, mib: number): boolean {
  const tree = treeOf(region('compatible = "shared-dma-pool"; no-map;', size))
  const system = boot(tree)
  if (lost(system) !== size) throw new Error(`poolHas: a pool of ${size} MiB takes ${lost(system)} MiB`)
  const dev = createDevice('recorder', findNode(tree, '/recorder'))
  of_reserved_mem_device_init(system.machine.reserved_mem, dev)
  return dma_alloc_coherent(system.dma, dev, MiB(mib), GFP_KERNEL) !== null
}

const regionCosts = (mib: number): number => lost(boot(treeOf(region('no-map;', mib))))

const pageAllocatorHas = (mib: number): boolean =>
  dma_alloc_coherent(boot(treeOf('')).dma, createDevice('recorder', null), MiB(mib), GFP_KERNEL) !== null

const region = (how: string, mib: number): string =>
  `memory: buffer@50000000 { ${how} reg = <0x0 0x50000000 0x0 0x${MiB(mib).toString(16)}>; };`

function treeOf(node: string): DeviceTree {
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${node} };
	recorder { compatible = "contiguous,recorder"; ${node ? 'memory-region = <&memory>;' : ''} };
};`,
    'board.dts',
  )
  return tree!
}

const boot = (tree: DeviceTree): System =>
  startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0', image: null })
const memTotal = ({ vm }: System): number => Number(/MemTotal: +(\d+)/.exec(procMeminfo(vm))?.[1])
/** By how much MemTotal is less than with nothing set aside. Unit: MiB. */
function lost(system: System): number {
  nothing ??= memTotal(boot(treeOf('')))
  return Math.round((nothing - memTotal(system)) / 1024)
}
let nothing: number | undefined
// #endregion the oracle

// #region known mistakes
// What each mistake makes of the first answer that fits.
const asked = (need: Need, also: Partial<Need>): Choice => first({ ...need, ...also })
const MISTAKES: readonly { rule: string; text: string; slip: (need: Need) => Choice }[] = [
  {
    rule: 'ex-always-an-area',
    text: 'everybody gets an area: one that may not fail, one that needs an address, and one whose IOMMU needs none of it',
    slip: () => ({ road: 'area', costs: 0 }),
  },
  {
    rule: 'ex-everybody-pays',
    text: 'who may fail gets a pool as well; programs do without that memory all day for a device that can ask again',
    slip: (need) => asked(need, { mayFail: false }),
  },
  {
    rule: 'ex-lent-for-certain',
    text: 'who may not fail is given an area; it is lent, and one page that stays is a failure',
    slip: (need) => asked(need, { mayFail: true }),
  },
  {
    rule: 'ex-later-as-at-boot',
    text: 'a small buffer is taken from the page allocator at any time; only at boot is its memory still in large blocks',
    slip: (need) => asked(need, { atBoot: true }),
  },
  {
    rule: 'ex-block-too-large',
    text: 'at boot every size is asked of the page allocator; its largest block has 4 MiB, at boot as later',
    slip: (need) => (need.atBoot && !need.iommu && !need.fixed ? { road: 'buddy', costs: 0 } : first(need)),
  },
  {
    rule: 'ex-address-last',
    text: 'size is asked about before the address; the page allocator gives what it has, and cannot be asked for one address',
    slip: (need) => (first({ ...need, fixed: false }).road === 'buddy' ? asked(need, { fixed: false }) : first(need)),
  },
  {
    rule: 'ex-pool-exact',
    text: 'the pool is as large as the buffer; a pool gives powers of two, so from one of that size the buffer cannot be had',
    slip: (need) => (first(need).road === 'pool' ? { road: 'pool', costs: need.mib } : first(need)),
  },
  {
    rule: 'ex-area-charged',
    text: 'an area is charged with its size; programs live in it, and MemTotal has it',
    slip: (need) => (first(need).road === 'area' ? { road: 'area', costs: need.mib } : first(need)),
  },
  {
    rule: 'ex-iommu-forgotten',
    text: 'a device behind an IOMMU is given contiguous memory; it sees one range wherever the pages are',
    slip: (need) => asked(need, { iommu: false }),
  },
]
// #endregion known mistakes
