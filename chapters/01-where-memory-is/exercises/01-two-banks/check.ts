// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels and compares memblock's list with the board's two banks.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { bootMachine } from 'contiguous/machine/boot'
import { memblock_dump_all } from 'contiguous/mm/memblock_print'
import { parseDts } from 'contiguous/of/dts_parser'
import { cellsOf, property, stringsOf, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const READ = 'Who says where RAM is'
const SIZE = 0x8000_0000
const BANKS = [0x8000_0000, 0x8_8000_0000] as const

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const wrong = judge(tree)
  if (wrong) return { findings: [wrong] }
  for (const kernel of KERNELS) {
    const { shown, same } = boot(tree, kernel)
    if (!same) return { findings: [finding('ex-other-banks', null, `${kernel} finds other banks`, shown)] }
  }
  return { findings: [], shown: boot(tree, '6.12.117').shown }
}

function finding(rule: string, at: DtNode | null, text: string, evidence: readonly string[] = []): Finding {
  const { line = 0, column = 0 } = at?.at ?? {}
  return { rule, severity: 'error', file: FILE, line, column, text, evidence, read: READ }
}

function boot(tree: DeviceTree, kernel: KernelVersion): { shown: string[]; same: boolean } {
  const { memblock } = bootMachine({ tree, kernel, arch: 'arm64', cmdline: 'cma=0' })
  const found = memblock.memory.regions.map(({ base, size }) => `${base} ${size}`)
  return {
    shown: memblock_dump_all(memblock).filter((line) => line.startsWith(' memory[')),
    same: found.join() === BANKS.map((base) => `${base} ${SIZE}`).join(),
  }
}

interface Entry {
  readonly node: DtNode
  readonly cells: readonly number[]
}

const hex = (cells: readonly number[]): string => cells.map((cell) => `0x${cell.toString(16)}`).join(' ')

// What is wrong with the nodes, in the order in which the kernel would come upon it.
function judge(tree: DeviceTree): Finding | null {
  const counts = ['#address-cells', '#size-cells'].map((name) =>
    cellsOf(property(tree.root, name)?.value ?? new Uint8Array()).join(),
  )
  if (counts.join() !== '2,2')
    return finding(
      'ex-board-changed',
      tree.root,
      `the root counts ${counts.join(' and ')} cells; expected 2 and 2`,
    )
  const typed: Entry[] = []
  const untyped: DtNode[] = []
  for (const node of tree.root.children) {
    const type = stringsOf(property(node, 'device_type')?.value ?? new Uint8Array())[0]
    if (type !== 'memory') {
      if (node.name.startsWith('memory')) untyped.push(node)
      continue
    }
    const cells = cellsOf(property(node, 'reg')?.value ?? new Uint8Array())
    if (cells.length % 4 !== 0 || cells.length === 0) {
      const text = `reg of ${node.name} has ${cells.length} cells; expected a multiple of 4, for each bank two of address and two of size`
      return finding('ex-entry-cut', node, text)
    }
    for (let at = 0; at < cells.length; at += 4) typed.push({ node, cells: cells.slice(at, at + 4) })
  }
  return typed.map(judgeEntry).find((found) => found !== null) ?? missing(typed, untyped)
}

function judgeEntry({ node, cells }: Entry): Finding | null {
  const [high = 0, low = 0, sizeHigh = 0, sizeLow = 0] = cells
  const said = `<${hex(cells)}>`
  if (low === 0x8 || (sizeLow === 0 && sizeHigh !== 0)) {
    const text = `${said} has its words the wrong way round: of two cells the first is the upper half`
    return finding('ex-memory-cells-swapped', node, text)
  }
  const size = sizeHigh * 2 ** 32 + sizeLow
  if (size === SIZE - 1) {
    const text = `${said}: the size is one byte short, and the kernel gives up the page that is cut; the size of 2 GiB is 0x80000000`
    return finding('ex-last-byte-as-size', node, text)
  }
  if (sizeLow === 0xffff_ffff && sizeHigh === high) {
    const text = `${said}: the last two cells are a size, and these are the last byte's address; the kernel reads ${(size + 1) / 2 ** 30} GiB`
    return finding(high === 0 ? 'ex-end-in-first-bank' : 'ex-end-in-second-bank', node, text)
  }
  if (!BANKS.some((base) => base === high * 2 ** 32 + low) || size !== SIZE)
    return finding('ex-bank-elsewhere', node, `${said} is no bank of this board`)
  return null
}

function missing(typed: readonly Entry[], untyped: readonly DtNode[]): Finding | null {
  const there = typed.map(({ cells: [high = 0, low = 0] }) => high * 2 ** 32 + low)
  const lost = BANKS.find((base) => !there.includes(base))
  if (lost === undefined) return null
  if (untyped[0]) {
    const text = `${untyped[0].name} has no device_type = "memory": the kernel passes it over, whatever its name says`
    return finding('ex-bank-without-type', untyped[0], text)
  }
  return finding('ex-bank-missing', typed[0]?.node ?? null, `no entry begins at 0x${lost.toString(16)}`)
}
