// SPDX-License-Identifier: MIT
//
// Reads a device tree from a file, asks dtc's questions of it, and lets the model boot it.
import { readFileSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import { type Diagnostic, formatDiagnostic } from '../lib/diagnostic.ts'
import type { Arch, KernelVersion } from '../lib/kernel_version.ts'
import { bootMachine } from '../machine/boot.ts'
import { checkTree } from '../of/checks.ts'
import { parseDts } from '../of/dts_parser.ts'
import { readFdt } from '../of/fdt_reader.ts'
import { early_init_dt_scan_root } from '../of/fdt.ts'
import { type DeviceTree, findNode, property, readNumber } from '../of/tree.ts'

export interface Examination {
  readonly file: string
  readonly kernel: KernelVersion
  readonly arch: Arch
  /** What is wrong with the tree as a tree. */
  readonly diagnostics: readonly Diagnostic[]
  /** The kernel's lines about reserved memory and CMA. */
  readonly log: readonly string[]
  /** /proc/iomem, RAM only. */
  readonly iomem: string
}

interface Asked {
  readonly kernel: KernelVersion
  readonly arch: Arch
  readonly cmdline?: string
}

function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Complaint({ text: `${file}: cannot be read (${why})`, exitCode: 2 })
  }
}

// A blob begins with 0xd00dfeed, and a source has neither such a byte in front nor zero bytes in it.
function isBlob(bytes: Uint8Array): boolean {
  return bytes.length === 0 || bytes[0] === 0xd0 || bytes.includes(0)
}

function readTree(file: string): { tree: DeviceTree; diagnostics: Diagnostic[] } {
  const bytes = readFile(file)
  if (isBlob(bytes)) return { tree: readFdt(bytes, file), diagnostics: [] }
  const { tree, diagnostics } = parseDts(new TextDecoder('latin1').decode(bytes), file)
  if (!tree) throw new Complaint({ text: '', diagnostics })
  return { tree, diagnostics }
}

// Regions that no number here can hold. Most often the two cells of an address stand in the wrong order.
function beyondModel(tree: DeviceTree, file: string): Diagnostic[] {
  const cells = early_init_dt_scan_root(tree)
  const counts = [cells.dt_root_addr_cells, cells.dt_root_size_cells]
  return (findNode(tree, '/reserved-memory')?.children ?? []).flatMap((node) => {
    const reg = property(node, 'reg')
    if (!reg) return []
    let offset = 0
    const wide = counts.some((count) => {
      const high = count > 1 && offset + 8 <= reg.value.length ? readNumber(reg.value, offset, 1) : 0
      offset += count * 4
      return high >= 2 ** 21
    })
    if (!wide) return []
    const { line, column } = reg.at ?? { line: 0, column: 0 }
    return [
      {
        rule: 'reserved-memory-beyond-model',
        severity: 'error' as const,
        file,
        line,
        column,
        text: `${node.name}: reg holds a number above 2^53, which the model rounds: do not trust what follows about it`,
        note: 'Of two cells the first is the upper half: are they the wrong way round?',
      },
    ]
  })
}

/** @throws Complaint: the file cannot be read, is no device tree, or names no memory to boot in */
export function examine(file: string, { kernel, arch, cmdline }: Asked): Examination {
  const { tree, diagnostics } = readTree(file)
  const machine = bootMachine({ tree, kernel, arch, ...(cmdline === undefined ? {} : { cmdline }) })
  if (machine.memblock.memory.regions.length === 0) {
    throw new Complaint({
      text: `${file}: no RAM: no enabled node has device_type = "memory" and a reg`,
      next: ['Boot loaders often fill the node in. Add it, e.g. memory@40000000 with the RAM of your board.'],
    })
  }
  return {
    file,
    kernel,
    arch,
    diagnostics: [...diagnostics, ...checkTree(tree, file), ...beyondModel(tree, file)],
    log: machine.log,
    iomem: machine.procIomem(),
  }
}

export function examinationText({ kernel, arch, diagnostics, log, iomem }: Examination): string {
  const lines = log.length > 0 ? log : ['(nothing)']
  return [
    ...diagnostics.map(formatDiagnostic),
    `Linux ${kernel} on ${arch} would say of reserved memory:`,
    ...lines.map((line) => `  ${line}`),
    'and show in /proc/iomem, before what it takes for itself:',
    ...iomem
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
    '',
  ].join('\n')
}
