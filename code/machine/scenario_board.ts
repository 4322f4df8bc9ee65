// SPDX-License-Identifier: MIT
//
// The board of a scenario as what a machine is started with: a device tree, a command line, a configuration.
//
//     board: { ram: 512M, at: 0x40000000, cmdline: cma=64M, reserved: "pool@50000000 { … };" }
//
// A mistake in its device-tree source is told at the scenario's line. A region of /reserved-memory outside RAM is refused
// here, because a kernel with a reusable one does not survive its own boot.

// #region scenario-board
import type { Diagnostic } from '../lib/diagnostic.ts'
import type { KernelVersion } from '../lib/kernel_version.ts'
import { Printk } from '../lib/printk.ts'
import { MiB } from '../lib/units.ts'
import { createMemblock, regionEnd, type MemblockRegion } from '../mm/memblock.ts'
import { parseDts } from '../of/dts_parser.ts'
import { early_init_dt_scan_memory, early_init_dt_scan_root } from '../of/fdt.ts'
import { cellsOf, findNode, property, type DeviceTree, type DtNode } from '../of/tree.ts'
import type { Scenario } from './scenario_parse.ts'
import type { SystemOptions } from './system.ts'

/** Reads a file that lies beside the scenario; null when there is none. */
export type ReadText = (path: string) => string | null

/** The machine to start, or why it cannot be. */
export function boardOf(
  scenario: Scenario,
  kernel: KernelVersion,
  readText: ReadText = () => null,
): { board: SystemOptions | null; diagnostics: Diagnostic[] } {
  const source = sourceOf(scenario, readText)
  if ('rule' in source) return { board: null, diagnostics: [source] }
  const { tree, diagnostics } = parseDts(source.text, source.file)
  if (!tree) return { board: null, diagnostics: diagnostics.map((each) => placed(scenario, source, each)) }
  const outside = outsideRam(scenario, source, tree, kernel)
  if (outside.length > 0) return { board: null, diagnostics: outside }
  const { cmdline = '', config, hardware, image } = scenario.board
  const board: SystemOptions = {
    ...{ tree, kernel, arch: scenario.arch, cmdline },
    ...(config ? { config: present(config) } : {}),
    ...(hardware ? { hardware: present(hardware) } : {}),
    ...(image ? {} : { image: null }),
  }
  return { board, diagnostics: [] }
}

// Without the keys that are there and hold nothing.
const present = <T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never

// The board's device-tree source, and from which of its lines on it is that of a key of the scenario.
interface BoardSource {
  readonly file: string
  readonly text: string
  /** The first line of each part in `text`. */
  readonly parts: readonly {
    readonly key: 'reserved' | 'nodes'
    readonly first: number
    readonly last: number
  }[]
}

function sourceOf(scenario: Scenario, readText: ReadText): BoardSource | Diagnostic {
  const { board, file } = scenario
  if (board.tree === undefined) return ownSource(scenario)
  const text = readText(board.tree)
  if (text !== null) return { file: board.tree, text, parts: [] }
  const at = scenario.locate(['board', 'tree'], 'value')
  const what = `board.tree: there is no ${board.tree} beside the scenario`
  return { rule: 'scenario-board', severity: 'error', file, ...at, text: what }
}

const cells = (n: number): string =>
  `0x${Math.floor(n / 2 ** 32).toString(16)} 0x${(n % 2 ** 32).toString(16)}`

function ownSource({ board, file }: Scenario): BoardSource {
  const { ram = MiB(512), at = 0x4000_0000, reserved = '', nodes = '' } = board
  const banks = Array.isArray(ram) ? ram : [{ base: at, size: ram }]
  const reg = banks.map((bank) => `<${cells(bank.base)} ${cells(bank.size)}>`).join(', ')
  const head = [
    '/dts-v1/;',
    '/ { #address-cells = <2>; #size-cells = <2>;',
    `memory { device_type = "memory"; reg = ${reg}; };`,
  ]
  const lines = (text: string): number => text.split('\n').length
  const opening = 'reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;'
  const body = reserved ? `${opening}\n${reserved}\n};` : ''
  const text = [...head, body, nodes, '};'].join('\n')
  const first = head.length + 2
  const behind = head.length + lines(body) + 1
  const parts = [
    ...(reserved ? [{ key: 'reserved' as const, first, last: first + lines(reserved) - 1 }] : []),
    { key: 'nodes' as const, first: behind, last: behind + lines(nodes) - 1 },
  ]
  return { file, text, parts }
}

// The place in the scenario of a place in its source; lines that a note names are moved along.
function placed(scenario: Scenario, source: BoardSource, found: Diagnostic): Diagnostic {
  if (scenario.board.tree !== undefined) return found
  const place = (line: number, column: number): { line: number; column: number } => {
    const part = source.parts.find(({ first, last }) => line >= first && line <= last)
    if (!part) return { line: scenario.locate(['board'], 'key').line, column: 0 }
    return scenario.locateWithin(['board', part.key], line - part.first + 1, column)
  }
  const moved = (text: string): string =>
    text.replace(/\bline (\d+)\b/g, (_all, line: string) => `line ${place(Number(line), 0).line}`)
  const note = found.note === undefined ? {} : { note: moved(found.note) }
  return { ...found, ...place(found.line, found.column), text: moved(found.text), ...note }
}

// Regions of /reserved-memory that are not wholly in RAM, told at their node.
function outsideRam(
  scenario: Scenario,
  source: BoardSource,
  tree: DeviceTree,
  kernel: KernelVersion,
): Diagnostic[] {
  const ram = createMemblock()
  const root = early_init_dt_scan_root(tree)
  early_init_dt_scan_memory(ram, tree, root, kernel, new Printk())
  const banks = ram.memory.regions
  const parent = findNode(tree, '/reserved-memory')
  return (parent?.children ?? []).flatMap((node) => {
    const region = regionsOf(parent!, node).find((each) => !banks.some((bank) => holds(bank, each)))
    if (!region) return []
    const text = `${node.name}: ${range(region)} is outside RAM, expected inside ${banks.map(range).join(', ')}`
    const found: Diagnostic = {
      ...{ rule: 'scenario-outside-ram', severity: 'error', file: source.file, text },
      ...{ line: node.at?.line ?? 0, column: node.at?.column ?? 0 },
      note: 'move the region, or give the board more RAM: board.ram',
    }
    return [placed(scenario, source, found)]
  })
}

type Region = Pick<MemblockRegion, 'base' | 'size'>

const holds = (bank: MemblockRegion, { base, size }: Region): boolean =>
  base >= bank.base && base + size <= regionEnd(bank)

const range = ({ base, size }: Region): string =>
  `0x${base.toString(16)}..0x${(base + size - 1).toString(16)}`

// The entries of `reg`, in the cells that /reserved-memory says; a `reg` of another length is for the tree's own checks.
function regionsOf(parent: DtNode, node: DtNode): Region[] {
  const words = (of: DtNode, name: string): number[] => cellsOf(property(of, name)?.value ?? new Uint8Array())
  const [addressCells = 2] = words(parent, '#address-cells')
  const [sizeCells = 1] = words(parent, '#size-cells')
  const cellsEach = addressCells + sizeCells
  const reg = words(node, 'reg')
  if (cellsEach === 0 || reg.length % cellsEach !== 0) return []
  const number = (from: number, count: number): number =>
    reg.slice(from, from + count).reduce((sum, cell) => sum * 2 ** 32 + cell, 0)
  return Array.from({ length: reg.length / cellsEach }, (_, i) => {
    const from = i * cellsEach
    return { base: number(from, addressCells), size: number(from + addressCells, sizeCells) }
  })
}
// #endregion scenario-board
