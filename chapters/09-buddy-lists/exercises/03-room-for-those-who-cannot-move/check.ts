// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of three kernels, looks at the default CMA area, and takes unmovable pages until
// there are no more.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { startSystem, type System } from 'contiguous/machine/system'
import { __GFP_NOWARN, GFP_HIGHUSER } from 'contiguous/mm/gfp'
import { __alloc_pages } from 'contiguous/mm/page_alloc'
import { NR_FREE_CMA_PAGES, NR_FREE_PAGES } from 'contiguous/mm/mmzone'
import { parseDts } from 'contiguous/of/dts_parser'
import { cellsOf, findNode, property, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117', '4.12.4']
const CAMERA_PAGES = 40960
const UNMOVABLE_PAGES = 65536
const READ = {
  killed: 'Killed beside 349 MiB',
  cma: 'How a pageblock becomes CMA',
  free: 'Free, but not to you',
  report: 'The report, read again',
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree)
    return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ.killed })) }
  const changed = boardChanged(tree)
  if (changed) return { findings: [changed] }
  const shown: string[] = []
  for (const kernel of KERNELS) {
    const system = startSystem({ tree, kernel, arch: 'arm64' })
    const wrong = wrongArea(system, tree)
    if (wrong) return { findings: [wrong] }
    const pages = takeUnmovable(system)
    if (pages < UNMOVABLE_PAGES) return { findings: [starves(system, tree, pages)] }
    shown.push(`[${kernel}] ${defaultArea(system)?.count} pages of CMA, ${pages} pages that cannot be moved`)
  }
  return { findings: [], shown }
}

function finding(
  rule: string,
  at: DtNode | null,
  text: string,
  evidence: readonly string[],
  read: string,
): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read }
}

// What stands above the first comment is the hardware: it is as it is.
function boardChanged(tree: DeviceTree): Finding | null {
  const memory = findNode(tree, '/memory@40000000')
  const reg = cellsOf((memory && property(memory, 'reg')?.value) ?? new Uint8Array())
  if (reg.join() === [0, 0x40000000, 0, 0x20000000].join()) return null
  const text = 'the memory node differs from the board: expected 512 MiB at 0x40000000'
  return finding('ex-board-changed', memory, text, [], READ.killed)
}

const regionOf = (tree: DeviceTree): DtNode | null =>
  findNode(tree, '/reserved-memory')?.children[0] ?? null
const defaultArea = ({ machine }: System) => machine.contiguous.dma_contiguous_default_area

function linesOf({ machine, printk }: System): string[] {
  return printk.lines.filter((line) => /CMA|cma|eserved/.test(line)).map((line) => `[${machine.kernel}] ${line}`)
}

// What is wrong with the area on this kernel, in the order in which one would see it.
function wrongArea(system: System, tree: DeviceTree): Finding | null {
  const region = regionOf(tree)
  const lines = linesOf(system)
  const has = (name: string) => region !== null && property(region, name) !== null
  if (!region) {
    const text = 'there is no region: the camera gets what the kernel sets up by itself'
    return finding('ex-no-region', null, text, lines, READ.killed)
  }
  if (has('no-map')) {
    const text = 'no-map takes the region from the programs as well; expected an area that is lent to them'
    return finding('ex-area-taken-away', region, text, lines, READ.report)
  }
  if (!has('reusable')) {
    const text = 'without reusable the region is a pool: nobody else gets its pages'
    return finding('ex-area-not-lent', region, text, lines, READ.report)
  }
  if (lines.some((line) => line.includes('incorrect alignment'))) {
    const text = `${system.machine.kernel} refuses the region: its base or its size is no multiple of what it aligns areas to`
    return finding('ex-area-not-aligned', region, text, lines, READ.cma)
  }
  const area = defaultArea(system)
  if (!has('linux,cma-default') || system.cma.length !== 1 || !area) {
    const text = `${system.cma.length} CMA areas, and ${area?.name ?? 'none'} is the default; expected the region alone`
    return finding('ex-not-the-default', region, text, lines, READ.cma)
  }
  if (area.count < CAMERA_PAGES) {
    const text = `the area has ${area.count} pages; the camera wants ${CAMERA_PAGES} in one piece, 160 MiB`
    return finding('ex-area-too-small', region, text, lines, READ.killed)
  }
  return null
}

// Pages as pipes and sockets ask for them, until there are none.
function takeUnmovable({ pgdat }: System): number {
  let pages = 0
  while (__alloc_pages(pgdat, GFP_HIGHUSER | __GFP_NOWARN, 0) !== null) pages++
  return pages
}

function starves({ machine, pgdat, cma }: System, tree: DeviceTree, pages: number): Finding {
  const zone = pgdat.zones.find(({ present_pages }) => present_pages > 0)!
  const [free, freeCma] = [zone.vm_stat[NR_FREE_PAGES]!, zone.vm_stat[NR_FREE_CMA_PAGES]!]
  const text = `unmovable requests get ${pages} pages; expected ${UNMOVABLE_PAGES}, and ${freeCma} lie free in the area`
  const evidence = [
    `[${machine.kernel}] ${cma.map(({ name, count }) => `${name}: ${count} pages`).join(', ')}`,
    `[${machine.kernel}] zone ${zone.name} free:${4 * free}kB min:${4 * zone.watermark.min}kB free_cma:${4 * freeCma}kB`,
  ]
  return finding('ex-kernel-starves', regionOf(tree), text, evidence, READ.free)
}
