// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of two kernels, attaches the camera, and says what is wrong in the order in which
// a kernel would stumble over it.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { bootMachine, type Machine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import {
  cellsOf,
  findByPhandle,
  findNode,
  property,
  stringsOf,
  unitAddress,
  type DeviceTree,
  type DtNode,
} from 'contiguous/of/tree'

const FILE = 'board.dts'
const KERNELS: readonly KernelVersion[] = ['6.1.192', '6.12.117']
const BASE = 0xc0000000
const SIZE = 0x20000000
const CREATED = 'created DMA memory pool at 0x00000000c0000000, size 512 MiB'
const DRIVER = 'contiguous,reserved-coherent'
const RESERVED = /^c0000000-dfffffff : reserved$/m

const READ = {
  story: 'Half a gibibyte that never left',
  questions: 'Three questions, one answer',
  node: 'One node at a time',
  uses: 'Three uses of a region',
  device: "The device's side",
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const { tree, diagnostics } = parseDts(context.files[FILE] ?? '', FILE)
  if (!tree)
    return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ.story })) }
  const changed = boardChanged(tree)
  if (changed) return { findings: [changed] }
  const machines = KERNELS.map((kernel) => bootMachine({ tree, kernel, arch: 'arm64' }))
  for (const machine of machines) {
    const finding = judge(machine)
    if (finding) return { findings: [finding] }
  }
  return { findings: [], shown: shown(machines[1]!) }
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
  const cells = (node: DtNode | null, name: string) =>
    cellsOf((node && property(node, name)?.value) ?? new Uint8Array())
  const same =
    cells(tree.root, '#address-cells').join() === '2' &&
    cells(tree.root, '#size-cells').join() === '2' &&
    cells(memory, 'reg').join() === [0, 0x40000000, 0, 0xc0000000].join()
  if (same) return null
  const text =
    'the root node or the memory node differs from the board: expected 2 and 2 cells, 3 GiB at 0x40000000'
  return finding('ex-board-changed', memory, text, [], READ.story)
}

// The first thing that is wrong on this kernel, or null.
function judge(machine: Machine): Finding | null {
  const { tree, kernel } = machine
  const parent = findNode(tree, '/reserved-memory')
  if (!parent) {
    const text = 'there is no node /reserved-memory, so the kernel reserves nothing'
    return finding('ex-no-reserved-memory', tree.root, text, evidenceOf(machine), READ.questions)
  }
  const ignored = wholeNodeIgnored(machine, parent)
  if (ignored) return ignored
  const region = parent.children.find((child) => overlaps(child)) ?? parent.children[0]
  if (!region) {
    const text = '/reserved-memory has no child: there is no region'
    return finding('ex-no-region', parent, text, [], READ.node)
  }
  return (
    regionRefused(machine, region) ??
    wrongKind(machine, region) ??
    wrongPlace(machine, region) ??
    clientWithout(machine, region) ??
    wrongName(region) ??
    notAsAsked(machine, region, kernel)
  )
}

function wholeNodeIgnored(machine: Machine, parent: DtNode): Finding | null {
  const lines = linesWith(machine, 'unsupported node format')
  if (lines.length === 0) return null
  const wanted = ['#address-cells', '#size-cells', 'ranges']
  const missing = wanted.filter((name) => !property(parent, name))
  if (missing.length > 0) {
    const text = `the kernel ignores /reserved-memory and all that is in it: ${missing.join(', ')} missing`
    return finding('ex-node-ignored', parent, text, lines, READ.questions)
  }
  const counts = wanted.slice(0, 2).map((name) => cellsOf(property(parent, name)!.value).join(' '))
  const text = `the kernel ignores /reserved-memory: its cell counts are ${counts.join(' and ')}, the root's are 2 and 2`
  return finding('ex-cells-not-the-roots', parent, text, lines, READ.questions)
}

function regionRefused(machine: Machine, region: DtNode): Finding | null {
  const status = property(region, 'status')
  if (status && !['ok', 'okay'].includes(stringsOf(status.value)[0] ?? '')) {
    const text = `${region.name} has status ${JSON.stringify(stringsOf(status.value)[0])}: the kernel passes it over`
    return finding('ex-region-disabled', region, text, [], READ.node)
  }
  const lines = linesWith(machine, 'invalid reg property')
  if (lines.length > 0) {
    const count = regCells(region).length
    const text = `reg has ${count} cells; expected 4, two for the address and two for the size, as the root counts`
    return finding('ex-reg-length', region, text, lines, READ.node)
  }
  if (!property(region, 'reg')) {
    const text = 'the region has no reg, so its place is left to the kernel; expected 0xc0000000'
    return finding('ex-place-left-to-kernel', region, text, evidenceOf(machine), READ.node)
  }
  return null
}

function wrongKind(machine: Machine, region: DtNode): Finding | null {
  const has = (name: string) => property(region, name) !== null
  const compatible = stringsOf(property(region, 'compatible')?.value ?? new Uint8Array())
  const log = [...linesWith(machine, 'Reserved memory:'), ...linesWith(machine, 'reserved mem:')]
  if (has('no-map') && has('reusable')) {
    const text = 'no-map and reusable exclude each other; the kernel gives the memory back'
    return finding('ex-both-no-map-and-reusable', region, text, log, READ.uses)
  }
  if (has('reusable')) {
    const text =
      'reusable makes the region a CMA area: programs live in it until the camera asks; expected no-map'
    return finding('ex-cma-instead-of-pool', region, text, log, READ.uses)
  }
  if (!compatible.includes('shared-dma-pool')) {
    const text = `compatible is ${compatible.join(', ') || 'missing'}; expected shared-dma-pool, or no pool is made`
    return finding('ex-no-pool-driver', region, text, log, READ.uses)
  }
  if (!has('no-map')) {
    const attach = attachCamera(machine, region)
    const text =
      'no-map is missing: the region stays System RAM, and the pool that the boot log promises cannot be attached'
    return finding(
      'ex-pool-without-no-map',
      region,
      text,
      [...log, ...attach.lines, ...evidenceOf(machine)],
      READ.device,
    )
  }
  return null
}

function wrongPlace(machine: Machine, region: DtNode): Finding | null {
  const cells = regCells(region)
  const log = [...linesWith(machine, 'created '), ...linesWith(machine, region.name), ...evidenceOf(machine)]
  const hex = cells.map((cell) => `0x${cell.toString(16)}`).join(' ')
  const [highBase = 0, base = 0, highSize = 0, size = 0] = cells
  if ((highBase === BASE && base === 0) || (highSize === SIZE && size === 0)) {
    const text = `reg = <${hex}> has its words the wrong way round: of two cells the first is the upper half`
    // Above 2^53 the model rounds an address, so its "created" line may not be the kernel's to the last digit.
    return finding('ex-reg-cells-swapped', region, text, evidenceOf(machine), READ.questions)
  }
  if (highBase !== 0 || base !== BASE) {
    const text = `reg = <${hex}> does not begin at 0xc0000000`
    return finding('ex-region-elsewhere', region, text, log, READ.node)
  }
  const bytes = highSize * 2 ** 32 + size
  if (bytes === SIZE) return null
  const text = `reg gives the region ${bytes / 2 ** 20} MiB (0x${bytes.toString(16)}); expected 512 MiB (0x20000000)`
  return finding(
    bytes < SIZE ? 'ex-region-too-small' : 'ex-region-too-large',
    region,
    text,
    log,
    READ.questions,
  )
}

const stringsIn = (node: DtNode, name: string): string[] =>
  stringsOf(property(node, name)?.value ?? new Uint8Array())

// The camera is hardware: it is at /camera, it is on, and its driver finds it by its compatible.
function cameraChanged({ tree }: Machine): Finding | null {
  const camera = findNode(tree, '/camera')
  if (!camera) {
    const [moved] = nodesBelow(tree.root).filter(({ node }) => stringsIn(node, 'compatible').includes(DRIVER))
    const text = moved
      ? `the camera is at ${moved.path}; expected /camera, where the kernel makes a device of it`
      : 'there is no node /camera: without it the kernel makes no device, and its driver has nothing to do'
    return finding(
      moved ? 'ex-camera-moved' : 'ex-camera-missing',
      moved?.node ?? tree.root,
      text,
      [],
      READ.device,
    )
  }
  const [status] = stringsIn(camera, 'status')
  if (status !== undefined && !['ok', 'okay'].includes(status)) {
    const text = `the camera has status ${JSON.stringify(status)}: the kernel makes no device of it, so no driver attaches the region`
    return finding('ex-camera-disabled', camera, text, [], READ.device)
  }
  const compatible = stringsIn(camera, 'compatible')
  if (compatible.includes(DRIVER)) return null
  const text = `compatible of the camera is ${compatible.join(', ') || 'missing'}; expected ${DRIVER}, by which its driver finds it`
  return finding('ex-camera-compatible', camera, text, [], READ.device)
}

function nodesBelow(node: DtNode, path = ''): { node: DtNode; path: string }[] {
  return node.children.flatMap((child) => {
    const its = `${path}/${child.name}`
    return [{ node: child, path: its }, ...nodesBelow(child, its)]
  })
}

function clientWithout(machine: Machine, region: DtNode): Finding | null {
  const { tree } = machine
  const changed = cameraChanged(machine)
  if (changed) return changed
  const camera = findNode(tree, '/camera')
  const value = (camera && property(camera, 'memory-region')?.value) ?? null
  if (!camera || !value) {
    const { lines } = attachCamera(machine, region)
    const text =
      'the camera does not name its region: memory-region is missing, and attaching returns -ENODEV'
    return finding('ex-memory-region-missing', camera, text, lines, READ.device)
  }
  if (findByPhandle(tree, cellsOf(value)[0] ?? 0) === region) return null
  const text = `memory-region of the camera does not point to ${region.name}`
  return finding('ex-memory-region-elsewhere', camera, text, [], READ.device)
}

function wrongName(region: DtNode): Finding | null {
  if (unitAddress(region.name) === 'c0000000') return null
  const text = `${region.name}: the unit address is the address in reg, bare and in lower case; expected buffer@c0000000`
  return finding('ex-unit-address', region, text, [], READ.story)
}

// Nothing above explains it, yet the machine does not do what was asked.
function notAsAsked(machine: Machine, region: DtNode, kernel: KernelVersion): Finding | null {
  const attach = attachCamera(machine, region)
  const created = linesWith(machine, CREATED).length > 0
  if (created && RESERVED.test(machine.procIomem()) && attach.ret === 0) return null
  const text = `on ${kernel} the pool is ${created ? 'created' : 'not created'}, and attaching returns ${attach.ret}`
  return finding('ex-not-as-asked', region, text, [...machine.log, ...evidenceOf(machine)], READ.node)
}

function attachCamera(machine: Machine, region: DtNode): { ret: number; lines: readonly string[] } {
  const before = machine.log.length
  const camera = findNode(machine.tree, '/camera') ?? region
  const ret = of_reserved_mem_device_init(
    machine.reserved_mem,
    createDevice('reserved-coherent camera', camera),
  )
  return {
    ret,
    lines: [...machine.log.slice(before), `of_reserved_mem_device_init() = ${ret}`].map(
      (line) => `[${machine.kernel}] ${line}`,
    ),
  }
}

function regCells(region: DtNode): number[] {
  return cellsOf(property(region, 'reg')?.value ?? new Uint8Array())
}

// Whether the region is the one that the camera wants, by any of its cells.
function overlaps(region: DtNode): boolean {
  return regCells(region).includes(BASE)
}

function linesWith(machine: Machine, text: string): string[] {
  return machine.log.filter((line) => line.includes(text)).map((line) => `[${machine.kernel}] ${line}`)
}

function evidenceOf(machine: Machine): string[] {
  return machine
    .procIomem()
    .trimEnd()
    .split('\n')
    .map((line) => `[${machine.kernel}] /proc/iomem: ${line}`)
}

function shown(machine: Machine): string[] {
  return [...linesWith(machine, CREATED), ...evidenceOf(machine).filter((line) => line.includes('c0000000-'))]
}
