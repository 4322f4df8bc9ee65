// SPDX-License-Identifier: MIT
//
// What the tests of device trees share: fixtures, trees as plain data to compare, random trees, and the real tools.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { type DeviceTree, type DtNode, emptyTree, makeNode, setProperty } from '../../code/of/tree.ts'

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url))

/** The names of the fixtures that start with `verdict`, sorted. */
export function fixtures(verdict: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(verdict) && name.endsWith('.dts'))
    .sort()
}

export function fixture(name: string): string {
  return readFileSync(folder + name, 'utf8')
}

/** The tree of `source`, which must be right. */
export function treeOf(source: string, file = 'test.dts'): DeviceTree {
  const { tree, diagnostics } = parseDts(source, file)
  if (!tree) throw new Error(diagnostics.map(formatDiagnostic).join('\n'))
  return tree
}

/** `rule line:column` of all that is told about `source`. */
export function told(source: string): string[] {
  return parseDts(source, 'test.dts').diagnostics.map(({ rule, line, column }) => `${rule} ${line}:${column}`)
}

interface Plain {
  name: string
  properties: [string, string][]
  children: Plain[]
}

/** Names, values in hex and order: what a blob keeps of a tree. */
export function plain(tree: DeviceTree) {
  const node = ({ name, properties, children }: DtNode): Plain => ({
    name,
    properties: properties.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]),
    children: children.map(node),
  })
  return { root: node(tree.root), memreserve: tree.memreserve, bootCpuid: tree.bootCpuid }
}

const name = fc.stringMatching(/^[a-z#][a-z0-9,._+-]{0,12}$/)
const word64 = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const properties = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 20 })), {
  maxLength: 5,
  selector: ([key]) => key,
})
interface Shape {
  properties: [string, Uint8Array][]
  children: [string, Shape][]
}
const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.record({ properties, children: fc.constant<Shape['children']>([]) }),
    fc.record({
      properties,
      children: fc.uniqueArray(fc.tuple(name, tie('shape')), { maxLength: 4, selector: ([key]) => key }),
    }),
  ),
}))

/** Trees of any shape, as a blob may hold them. */
export const anyTree: fc.Arbitrary<DeviceTree> = fc
  .record({
    shape,
    memreserve: fc.array(fc.record({ address: word64, size: word64.map((size) => Math.max(size, 1)) }), {
      maxLength: 3,
    }),
    bootCpuid: fc.nat({ max: 0xffff_ffff }),
  })
  .map(({ shape, memreserve, bootCpuid }) => {
    const tree = { ...emptyTree(), memreserve, bootCpuid }
    const fill = (node: DtNode, { properties, children }: Shape) => {
      for (const [key, value] of properties) setProperty(node, key, value)
      for (const [key, child] of children) fill(makeNode(key, node), child)
    }
    fill(tree.root, shape)
    return tree
  })

/** Why `command` cannot be run here; null when it can. */
export function missing(command: string): string | null {
  return spawnSync(command, ['--version']).status === 0 ? null : `${command} is not installed`
}

/** What dtc makes of `input`: status, blob or source, and its warnings and errors with `file` for the name of the input. */
export function dtc(input: string | Uint8Array, from: 'dts' | 'dtb', to: 'dts' | 'dtb', ...more: string[]) {
  const at = mkdtempSync(join(tmpdir(), 'contiguous-dtc-'))
  try {
    const [source, result] = [join(at, `in.${from}`), join(at, `out.${to}`)]
    writeFileSync(source, input)
    const run = spawnSync('dtc', ['-I', from, '-O', to, ...more, '-o', result, source], { encoding: 'utf8' })
    const output = run.status === 0 ? new Uint8Array(readFileSync(result)) : null
    return { status: run.status, output, told: run.stderr.replaceAll(source, 'file') }
  } finally {
    rmSync(at, { recursive: true })
  }
}

/** The tree that QEMU hands to the kernel on its board `virt`. */
export function qemuTree(command: string, ...more: string[]): Uint8Array {
  const at = mkdtempSync(join(tmpdir(), 'contiguous-qemu-'))
  try {
    const file = join(at, 'virt.dtb')
    execFileSync(
      command,
      ['-M', `virt,dumpdtb=${file}`, '-m', '512M', '-nic', 'none', ...more, '-display', 'none'],
      {
        stdio: 'ignore',
        timeout: 20_000,
      },
    )
    return new Uint8Array(readFileSync(file))
  } finally {
    rmSync(at, { recursive: true })
  }
}
