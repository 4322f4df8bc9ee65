// SPDX-License-Identifier: MIT
//
// A lab's overlay against the device tree of a board that runs already. Memory is set aside while a kernel boots, so what
// the running tree lacks needs a reboot: then the overlay is written into a folder, with what the common boot loaders do
// with it, and the board is left alone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { parseDts } from '../of/dts_parser.ts'
import { readFdt } from '../of/fdt_reader.ts'
import { writeFdt } from '../of/fdt_writer.ts'
import {
  allNodes,
  bytesToText,
  cellsOf,
  type DeviceTree,
  type DtNode,
  findByPhandle,
  findNode,
  nodePath,
  property,
  readNumber,
} from '../of/tree.ts'

/** A node that a lab's overlay puts into the board's tree. */
interface Wanted {
  readonly path: string
  readonly node: DtNode
}

const isMemory = (node: DtNode): boolean =>
  node.parent?.name === '__overlay__' &&
  (/^memory(@|$)/.test(node.name) ||
    bytesToText(property(node, 'device_type')?.value ?? new Uint8Array()) === 'memory\0')

/** The overlay of a lab's source. @throws Complaint (1) with the diagnostics when it does not parse */
export function readOverlay(file: string, shown: string): DeviceTree {
  const { tree, diagnostics } = parseDts(readFileSync(file, 'utf8'), shown)
  if (!tree) throw new Complaint({ text: '', diagnostics })
  return tree
}

// Paths count from the board's root; a fragment with a label for its target has none that could be known here.
function wantedNodes(overlay: DeviceTree): Wanted[] {
  return overlay.root.children.flatMap((fragment) => {
    const target = property(fragment, 'target-path')
    const body = fragment.children.find((child) => child.name === '__overlay__')
    if (!target || !body) return []
    const base = bytesToText(target.value).replace(/\0$/, '').replace(/\/$/, '')
    const below = (node: DtNode, path: string): Wanted[] => [
      { path, node },
      ...node.children.flatMap((child) => below(child, `${path}/${child.name}`)),
    ]
    return body.children
      .filter((child) => !isMemory(child) && child.name !== 'chosen')
      .flatMap((child) => below(child, `${base}/${child.name}`))
  })
}

// A phandle is another number in every tree; the node that it names is what counts.
const MADE = ['phandle', 'linux,phandle', 'name']

const spelled = (value: Uint8Array): string =>
  value.length === 0
    ? 'present'
    : value.length % 4 === 0 && !/^[\x20-\x7e]+\0$/.test(bytesToText(value))
      ? `<${cellsOf(value)
          .map((cell) => `0x${cell.toString(16)}`)
          .join(' ')}>`
      : `"${bytesToText(value).replace(/\0$/, '').replaceAll('\0', '", "')}"`

function regionPaths(tree: DeviceTree, value: Uint8Array, pathOf: (node: DtNode) => string): string[] {
  return cellsOf(value).map((phandle) => {
    const node = findByPhandle(tree, phandle)
    return node ? pathOf(node) : `phandle ${phandle}`
  })
}

/** What the board's running tree lacks of an overlay, a line each; empty when it has all of it. */
export function lacksOf(overlay: DeviceTree, live: DeviceTree): string[] {
  const wanted = wantedNodes(overlay)
  const pathInBoard = (node: DtNode): string =>
    wanted.find((each) => each.node === node)?.path ?? nodePath(node)
  return wanted.flatMap(({ path, node }) => {
    const there = findNode(live, path)
    if (!there) return [`no node ${path}`]
    return node.properties
      .filter(({ name }) => !MADE.includes(name))
      .flatMap(({ name, value }) => {
        const has = property(there, name)
        if (!has) return [`${path} has no ${name}`]
        if (name === 'memory-region') {
          const [want, have] = [
            regionPaths(overlay, value, pathInBoard),
            regionPaths(live, has.value, nodePath),
          ]
          return want.join() === have.join()
            ? []
            : [`${path}: memory-region is ${have.join()}, not ${want.join()}`]
        }
        const same = Buffer.compare(value, has.value) === 0
        return same ? [] : [`${path}: ${name} is ${spelled(has.value)}, not ${spelled(value)}`]
      })
  })
}

/**
 * The overlay as a real board may get it: without the memory nodes, which describe the virtual board's RAM, and without
 * the root's own cell counts, by which every address of the board's tree is read. Changes `overlay`.
 */
export function overlayForBoard(overlay: DeviceTree): { blob: Uint8Array; memory: boolean } {
  let memory = false
  for (const body of [...allNodes(overlay)].filter((node) => node.name === '__overlay__')) {
    const kept = body.children.filter((child) => !isMemory(child))
    memory ||= kept.length < body.children.length
    body.children = kept
    const target = body.parent ? property(body.parent, 'target-path')?.value : undefined
    if (target && bytesToText(target) === '/\0')
      body.properties = body.properties.filter(({ name }) => !/^#(address|size)-cells$/.test(name))
  }
  return { blob: writeFdt(overlay), memory }
}

interface Range {
  readonly path: string
  readonly start: number
  readonly end: number
}

// Ranges of `reg` in a node whose parent has these cells.
function regRanges(node: DtNode, path: string, cells: readonly [number, number]): Range[] {
  const value = property(node, 'reg')?.value ?? new Uint8Array()
  const width = (cells[0] + cells[1]) * 4
  return Array.from({ length: Math.floor(value.length / width) }, (_, index) => {
    const start = readNumber(value, index * width, cells[0])
    return { path, start, end: start + readNumber(value, index * width + cells[0] * 4, cells[1]) }
  })
}

const cellsAt = (node: DtNode | null): [number, number] => {
  const of = (name: string, otherwise: number): number => {
    const value = node ? property(node, name)?.value : undefined
    return value?.length === 4 ? readNumber(value, 0, 1) : otherwise
  }
  return [of('#address-cells', 2), of('#size-cells', 1)]
}

const hex = (value: number): string => `0x${value.toString(16)}`

/** What would go wrong with this overlay on that board: regions where it has no RAM, cells of another width. */
export function overlayDoubts(overlay: DeviceTree, live: DeviceTree): string[] {
  const doubts: string[] = []
  const root = cellsAt(live.root)
  const ram = live.root.children
    .filter((node) => bytesToText(property(node, 'device_type')?.value ?? new Uint8Array()) === 'memory\0')
    .flatMap((node) => regRanges(node, node.name, root))
  for (const { path, node } of wantedNodes(overlay)) {
    if (path === '/reserved-memory' && cellsAt(node).join() !== root.join())
      doubts.push(
        `this board’s tree counts addresses and sizes in ${root.join(' and ')} cells, the overlay in ${cellsAt(node).join(' and ')}: write its numbers anew`,
      )
    if (node.parent?.name !== 'reserved-memory') continue
    for (const { start, end } of regRanges(node, path, cellsAt(node.parent))) {
      if (ram.some((range) => range.start <= start && end <= range.end)) continue
      const known = ram.map((range) => `${hex(range.start)} to ${hex(range.end - 1)}`).join(', ')
      doubts.push(
        `${path} takes ${hex(start)} to ${hex(end - 1)}, where this board has no RAM (${known || 'none told'}): choose another place`,
      )
    }
  }
  return doubts
}

// How each boot loader takes an overlay.
const loaderSteps = (
  name: string,
  doubts: readonly string[],
  memory: boolean,
  lacks: readonly string[],
): string =>
  [
    `${name}.dtbo: what the running device tree of the board lacks`,
    '',
    ...lacks.map((line) => `  - ${line}`),
    '',
    ...(doubts.length > 0
      ? ['Before you use it on this board:', '', ...doubts.map((line) => `  - ${line}`), '']
      : []),
    ...(memory ? ['The lab’s memory node is left out: it describes the virtual board’s RAM.', ''] : []),
    'Copy it to the board, tell the boot loader, reboot the board yourself, then run the same lab again.',
    '',
    'U-Boot, by its own commands (addresses and device as your board has them):',
    '',
    '    load mmc 0:1 ${fdt_addr_r} board.dtb',
    '    fdt addr ${fdt_addr_r}',
    '    fdt resize 8192',
    `    load mmc 0:1 \${fdtoverlay_addr_r} ${name}.dtbo`,
    '    fdt apply ${fdtoverlay_addr_r}',
    '    booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr_r}',
    '',
    'U-Boot with extlinux/extlinux.conf, in the entry that boots:',
    '',
    '    fdt /board.dtb',
    `    fdtoverlays /overlays/${name}.dtbo`,
    '',
    'Raspberry Pi: into /boot/firmware/overlays (older systems: /boot/overlays), and in config.txt:',
    '',
    `    dtoverlay=${name}`,
    '',
    'To go back: take the line out again and reboot.',
    '',
  ].join('\n')

/** Writes overlay, source and steps into `folder`; returns the overlay's path. */
export function writeOverlay(
  folder: string,
  name: string,
  what: { overlay: DeviceTree; source: string; live: DeviceTree; lacks: readonly string[] },
): { file: string; doubts: string[] } {
  const doubts = overlayDoubts(what.overlay, what.live)
  const { blob, memory } = overlayForBoard(what.overlay)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.dtbo`)
  writeFileSync(file, blob)
  writeFileSync(join(folder, `${name}.dtso`), readFileSync(what.source))
  writeFileSync(join(folder, 'README'), loaderSteps(name, doubts, memory, what.lacks))
  return { file, doubts }
}

/** The tree that the board booted with. */
export const liveTree = (blob: Uint8Array): DeviceTree => readFdt(blob, '/sys/firmware/fdt')
