// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, writes to cma_test ten times, and looks where the buffers lie.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { KiB, MiB } from 'contiguous/lib/units'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { probeCmaTest, writeCmaTest, type CmaTest } from 'contiguous/machine/cma_test'
import { startSystem, type System } from 'contiguous/machine/system'
import { parseDts } from 'contiguous/of/dts_parser'
import { findNode, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const READ = 'A bit for a page'
const SMALLEST = MiB(56)
const WRITES = 10

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const shown: string[] = []
  for (const kernel of KERNELS) {
    const system = startSystem({ tree, kernel, arch: 'arm64', cmdline: '' })
    const test = probeCmaTest(system.dma)
    if (typeof test === 'number') throw new Error(`cma_test: ${test}; expected a device`)
    const answers = Array.from({ length: WRITES }, () => writeCmaTest(test))
    const found = judge(system, tree, test, answers)
    if (found) return { findings: [found] }
    shown.push(`Linux ${kernel}: ${places(system, test).join(', ')}`)
  }
  return { findings: [], shown }
}

function finding(rule: string, at: DtNode | null, text: string, evidence: readonly string[]): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

// Each buffer that there is, as the bit at which it begins.
function places({ machine, pgdat }: System, { slots }: CmaTest): string[] {
  const base = machine.contiguous.dma_contiguous_default_area?.base ?? 0
  return slots.flatMap(({ buffer, size }) =>
    buffer ? [`${size / MiB(1)} MiB at bit ${(buffer.dma_handle - base) / pgdat.pageSize}`] : [],
  )
}

function judge(system: System, tree: DeviceTree, test: CmaTest, answers: readonly number[]): Finding | null {
  const log = system.printk.lines.filter((line) => /^cma|Reserved memory|^cma_test/.test(line))
  const says = (part: string): boolean => log.some((line) => line.includes(part))
  const region = findNode(tree, '/reserved-memory')?.children[0] ?? null
  if (!region) return finding('ex-no-region', null, '/reserved-memory has no region', log)
  if (says('created DMA memory pool')) {
    const text = 'the region became a pool, which only a device that attaches it can use; an area is reusable'
    return finding('ex-pool-instead-of-area', region, text, log)
  }
  if (says('incorrect alignment')) {
    const text = 'an end of the region is no multiple of a pageblock, 2 MiB, and the tree’s regions are not rounded'
    return finding('ex-area-misaligned', region, text, log)
  }
  const area = system.machine.contiguous.dma_contiguous_default_area
  if (!area || area.name === 'reserved') {
    const text = 'the default area is not the one of the tree: the node does not say that it is for everybody'
    return finding('ex-not-the-default', region, text, log)
  }
  const failed = answers.findIndex((answer) => answer < 0)
  if (failed >= 0) {
    const { size } = test.slots[failed]!
    const text = `write ${failed + 1} fails: there is no place for ${size / KiB(1)} KiB in an area of ${area.size / MiB(1)} MiB`
    return finding('ex-tenth-has-no-place', region, text, [...places(system, test), ...log])
  }
  const outside = test.slots.some(
    ({ buffer, size }) =>
      buffer && (buffer.dma_handle < area.base || buffer.dma_handle + size > area.base + area.size),
  )
  if (outside) return finding('ex-outside', region, 'a buffer lies outside the area', places(system, test))
  if (area.size > SMALLEST) {
    const text = `the area has ${area.size / MiB(1)} MiB; a smaller one would do`
    return finding('ex-area-too-large', region, text, places(system, test))
  }
  return null
}
