// SPDX-License-Identifier: MIT
//
// Holds pages of a modelled area where they are most in the way, lets a driver take its buffers, and asks the reader's
// areaWithSpare() how large the area has to be. When they differ, it looks for a single mistake that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { EBUSY } from 'contiguous/lib/errno'
import { createRng } from 'contiguous/lib/rng'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'room_to_spare.ts'
const READ = 'One page that stays'

interface Case {
  readonly bytes: number
  readonly buffers: number
  readonly held: number
}

const CASES: readonly Case[] = [
  { bytes: MiB(1), buffers: 10, held: 0 },
  { bytes: MiB(1), buffers: 54, held: 2 },
  { bytes: MiB(3), buffers: 4, held: 3 },
  { bytes: KiB(1540), buffers: 5, held: 4 },
  { bytes: KiB(64), buffers: 25, held: 40 },
  { bytes: MiB(100), buffers: 1, held: 1 },
]

// Other cases for other answers, so that none can be written down.
function drawn(text: string): Case[] {
  const rng = createRng([...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7))
  return Array.from({ length: 4 }, () => ({
    bytes: KiB(4 * (16 + rng.next(1500))),
    buffers: 1 + rng.next(9),
    held: 1 + rng.next(5),
  }))
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const areaWithSpare = context.kind === 'typescript' ? context.module['areaWithSpare'] : undefined
  if (typeof areaWithSpare !== 'function') {
    return { findings: [finding('ex-export-missing', 'areaWithSpare is not an exported function', [])] }
  }
  const answers = [...CASES, ...drawn(context.files[FILE] ?? '')].map((each) => ({
    each,
    expected: leastArea(each),
    given: (areaWithSpare as (...args: number[]) => unknown)(each.bytes, each.buffers, each.held),
  }))
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0) {
    return { findings: [], shown: answers.map(({ each, expected }) => `${told(each)}: cma=${expected}M`) }
  }
  const evidence = wrong.slice(0, 3).map(({ each, expected, given }) => {
    return `${told(each)}: ${expected} MiB, yours ${String(given)}${tried(each, given, expected)}`
  })
  const found = MISTAKES.find(({ slip }) => answers.every(({ each, given }) => given === byRules(each, slip)))
  if (found) return { findings: [finding(found.rule, found.text, evidence)] }
  const text = `${wrong.length} of ${answers.length} drivers get another area than they need`
  return { findings: [finding('ex-other-area', text, evidence)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const told = ({ bytes, buffers, held }: Case): string =>
  `${buffers} of ${bytes / 1024} KiB, ${held} ${held === 1 ? 'page' : 'pages'} held`

// What a machine with the reader's area gives, where that is too small.
function tried(each: Case, given: unknown, expected: number): string {
  if (typeof given !== 'number' || given % 2 !== 0 || given < 2 || given > expected) return ''
  return `, in which ${take(each, given).got} of ${each.buffers} can be had`
}

// #region the oracle
/** The end of the furthest buffer in an area that has room for everything. Unit: MiB, in whole pageblocks. */
function leastArea(each: Case): number {
  return Math.ceil(take(each, 320).end / 512) * 2
}

/** Lets the driver ask in an area of `mib`: how many buffers it got, and where the last page of them is in the area. */
function take({ bytes, buffers, held }: Case, mib: number): { got: number; end: number } {
  const { tree } = parseDts(
    `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`,
    'board.dts',
  )
  const cmdline = `cma=${mib}M@0x48000000`
  const { vm, cma } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline, image: null })
  const count = bytes / 4096
  const align = Math.min(Math.ceil(Math.log2(count)), 8)
  const pins: number[] = []
  // Each place that is looked at while there are pages to hold has its last page held.
  const emptied = (start: number, end: number): number => {
    if (pins.some((pfn) => pfn >= start && pfn < end)) return -EBUSY
    if (pins.length === held) return 0
    pins.push(end - 1)
    return -EBUSY
  }
  let [got, last] = [0, 0x48000]
  for (; got < buffers; got++) {
    const pfn = cma_alloc(vm, cma[0]!, count, align, true, (_vm, start, end) => emptied(start, end))
    if (pfn === null) break
    last = Math.max(last, pfn + count)
  }
  return { got, end: last - 0x48000 }
}
// #endregion the oracle

// #region known mistakes
type Slip = 'none to spare' | 'a page' | 'a step' | 'one to spare' | 'for each' | 'unaligned'

function byRules({ bytes, buffers, held }: Case, slip: Slip): number {
  const count = bytes / 4096
  const align = Math.min(2 ** Math.ceil(Math.log2(count)), 256)
  const stride = Math.ceil(count / align) * align
  const more: Readonly<Record<Slip, number>> = {
    'none to spare': 0,
    'a page': held,
    'a step': held * align,
    'one to spare': Math.min(held, 1) * stride,
    'for each': buffers * held * stride,
    unaligned: held * count,
  }
  return Math.ceil((Math.ceil(96 / align) * align + (buffers - 1) * stride + count + more[slip]) / 512) * 2
}

const MISTAKES: readonly { rule: string; text: string; slip: Slip }[] = [
  {
    rule: 'ex-nothing-to-spare',
    text: 'the area is full with the last buffer, so one held page is one buffer that cannot be had',
    slip: 'none to spare',
  },
  {
    rule: 'ex-pin-as-a-page',
    text: 'a held page is counted as one page; no buffer can have it in its middle, so it costs the place of a buffer',
    slip: 'a page',
  },
  {
    rule: 'ex-pin-as-a-step',
    text: 'a held page is counted as one step of the search; a buffer longer than its alignment still has the page in it after one step',
    slip: 'a step',
  },
  {
    rule: 'ex-one-to-spare',
    text: 'there is one place to spare, however many pages are held; each of them can lie in another place',
    slip: 'one to spare',
  },
  {
    rule: 'ex-spare-for-each',
    text: 'each buffer has places to spare of its own; a place that nobody needed is left for the next buffer',
    slip: 'for each',
  },
  {
    rule: 'ex-spare-unaligned',
    text: 'a place to spare is as long as the buffer; the next one begins at a multiple of the alignment, as all of them do',
    slip: 'unaligned',
  },
]
// #endregion known mistakes
