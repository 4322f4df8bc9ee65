// SPDX-License-Identifier: MIT
//
// Boots the reader's tree on the models of four kernels, in every order of its regions, alone and with one more region
// without an address that is drawn, and looks each time where the camera lies and whether its neighbours have a place.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { RESERVED_MEMORY_KERNELS, type KernelVersion } from 'contiguous/lib/kernel_version'
import { createRng, type Rng } from 'contiguous/lib/rng'
import { MiB } from 'contiguous/lib/units'
import { bootMachine, type Machine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice, type ReservedMem } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { cellsOf, findNode, property, unitAddress, type DeviceTree, type DtNode } from 'contiguous/of/tree'

const FILE = 'board.dts'
const READ = 'An order that nobody promised'
const CAMERA = 0x5780_0000
const WINDOW = 0x5400_0000
const WANTED = MiB(8)
const SEED = 15
const STRANGERS = 3
const NEIGHBOURS = {
  modem: { size: MiB(1), from: 0x5300_0000, length: MiB(16), properties: ['no-map'] },
  encoder: { size: MiB(16), from: WINDOW, length: MiB(64), properties: ['reusable'] },
} as const

/** One boot: the order of the regions, by name, and the machine. */
interface Boot {
  readonly kernel: KernelVersion
  readonly order: readonly string[]
  readonly machine: Machine
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const source = context.files[FILE] ?? ''
  const { tree, diagnostics } = parseDts(source, FILE)
  if (!tree) return { findings: diagnostics.map((each) => ({ ...each, rule: 'ex-dts-syntax', read: READ })) }
  const wrong = judgeTree(tree) ?? judgeBoots(tree, boots(source))
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: asWritten(source).map(placesOf) }
}

function finding(rule: string, text: string, evidence: readonly string[] = []): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const regionNodes = (tree: DeviceTree): DtNode[] => findNode(tree, '/reserved-memory')?.children ?? []
const bare = ({ name }: { readonly name: string }): string => name.replace(/@.*/, '')
const named = (tree: DeviceTree, name: string): DtNode | undefined =>
  regionNodes(tree).find((node) => bare(node) === name)

function numbers(node: DtNode | undefined | null, name: string): string {
  const value = node ? property(node, name)?.value : undefined
  return value ? cellsOf(value).join() : ''
}

// #region the tree
function judgeTree(tree: DeviceTree): Finding | null {
  const memory = numbers(findNode(tree, '/memory@40000000'), 'reg')
  const counts = numbers(tree.root, '#address-cells') + numbers(tree.root, '#size-cells')
  if (counts !== '22' || memory !== [0, 0x4000_0000, 0, 0x4000_0000].join())
    return finding('ex-board-changed', 'the root or the memory node differs from the board')
  for (const [name, { size, from, length, properties }] of Object.entries(NEIGHBOURS)) {
    const node = named(tree, name)
    const same =
      node &&
      numbers(node, 'size') === [0, size].join() &&
      numbers(node, 'alloc-ranges') === [0, from, 0, length].join() &&
      !property(node, 'reg') &&
      properties.every((each) => property(node, each))
    const text = `${name} is other people's, and differs from what they wrote; the camera can keep its place without that`
    if (!same) return finding('ex-neighbour-changed', text)
  }
  if (!named(tree, 'camera'))
    return finding('ex-camera-missing', 'there is no node camera in /reserved-memory')
  return judgeReg(tree)
}

// A camera that says where it lies.
function judgeReg(tree: DeviceTree): Finding | null {
  const camera = named(tree, 'camera')!
  const cells = cellsOf(property(camera, 'reg')?.value ?? new Uint8Array())
  if (cells.length === 0) return null
  if (cells.length !== 4)
    return finding('ex-reg-length', `reg has ${cells.length} cells; expected 4, two for the address and two for the size`)
  const base = cells[0]! * 2 ** 32 + cells[1]!
  const size = cells[2]! * 2 ** 32 + cells[3]!
  if (base === WINDOW) {
    const text =
      'reg has the place that 6.12 found; what has to stay is the address that the boot loader hands out, 0x57800000'
    return finding('ex-address-of-one-kernel', text)
  }
  if (base !== CAMERA) return finding('ex-camera-elsewhere', `reg begins at ${hex(base)}; expected 0x57800000`)
  if (size < WANTED)
    return finding('ex-camera-too-small', `reg gives the camera ${hex(size)} bytes; expected 0x800000 at least`)
  if (unitAddress(camera.name) !== '57800000')
    return finding('ex-unit-address', `a node with reg has its address in its name: expected camera@57800000`)
  return null
}
// #endregion the tree

// #region boots
function boots(source: string): Boot[] {
  const rng = createRng(SEED)
  const strangers = [null, ...Array.from({ length: STRANGERS }, () => stranger(rng))]
  const count = regionNodes(parseDts(source, FILE).tree!).length
  const orders = permutations(count)
  return strangers.flatMap((extra) =>
    orders.flatMap((order) =>
      (extra ? [true, false] : [true]).flatMap((first) =>
        RESERVED_MEMORY_KERNELS.map((kernel) => boot(source, kernel, order, extra, first)),
      ),
    ),
  )
}

const asWritten = (source: string): Boot[] =>
  RESERVED_MEMORY_KERNELS.map((kernel) => boot(source, kernel, null, null, true))

// A region as an overlay adds one: 1 to 8 MiB, anywhere in the window.
function stranger(rng: Rng): string {
  const size = MiB(2 ** rng.next(4))
  return `/dts-v1/;
/ {
	stranger {
		compatible = "shared-dma-pool";
		no-map;
		size = <0x0 ${hex(size)}>;
		alloc-ranges = <0x0 ${hex(WINDOW)} 0x0 0x4000000>;
	};
};`
}

function boot(
  source: string,
  kernel: KernelVersion,
  order: readonly number[] | null,
  extra: string | null,
  first: boolean,
): Boot {
  const tree = parseDts(source, FILE).tree!
  const parent = findNode(tree, '/reserved-memory')!
  if (order) parent.children = order.map((i) => parent.children[i]!)
  if (extra) {
    const node = parseDts(extra, 'overlay.dts').tree!.root.children[0]!
    node.parent = parent
    parent.children = first ? [node, ...parent.children] : [...parent.children, node]
  }
  const machine = bootMachine({ tree, kernel, arch: 'arm64', cmdline: 'cma=0' })
  return { kernel, order: parent.children.map(bare), machine }
}

// The numbers below `count` in every order, for a few; for more, as they are and turned round.
function permutations(count: number): number[][] {
  const all = Array.from({ length: count }, (_, i) => i)
  if (count > 4) return [all, [...all].reverse()]
  const from = (rest: readonly number[]): number[][] =>
    rest.length === 0 ? [[]] : rest.flatMap((one) => from(rest.filter((each) => each !== one)).map((more) => [one, ...more]))
  return from(all)
}
// #endregion boots

// #region diagnosis
function judgeBoots(tree: DeviceTree, all: readonly Boot[]): Finding | null {
  const plain = regionNodes(tree).map(bare).join()
  const written = all.filter(({ order }) => order.join() === plain)
  const moved = all.filter((each) => !stays(each))
  if (moved.length > 0) return camera(tree, written, moved)
  const homeless = all.find((each) => neighbourWithout(each) !== null)
  if (homeless) {
    const text = `${neighbourWithout(homeless)} has no place beside the camera's region`
    return finding('ex-neighbour-without-place', text, [placesOf(homeless), ...complaints(homeless)])
  }
  if (property(named(tree, 'camera')!, 'reusable')) {
    const text =
      'the region is in its place as a CMA area: programs live in it, and the sensor writes over their pages; expected no-map'
    return finding('ex-camera-lent', text, written[0]!.machine.log)
  }
  const refused = written.find((each) => attach(each) !== 0)
  if (!refused) return null
  const text = `the region is in its place, and attaching it returns ${attach(refused)} on ${refused.kernel}; expected 0: a pool needs shared-dma-pool, no-map, and a device that names it`
  return finding('ex-not-attached', text, refused.machine.log)
}

function camera(tree: DeviceTree, written: readonly Boot[], moved: readonly Boot[]): Finding {
  const first = moved[0]!
  const counted = `${moved.length} boots do not have the camera's 8 MiB at 0x57800000`
  const evidence = [...written.map(placesOf), '…', ...moved.slice(0, 4).map(placesOf), ...complaints(first)]
  if (numbers(named(tree, 'camera'), 'alloc-ranges') === [0, CAMERA, 0, WANTED].join()) {
    const text =
      'alloc-ranges says where the camera may lie and keeps nobody else out; who is placed earlier can take it'
    return finding('ex-fenced-not-placed', `${text}; ${counted}`, evidence)
  }
  if (written.filter(stays).some(({ kernel }) => kernel === '6.12.117')) {
    const text =
      'the order of the nodes puts the camera where it belongs on 6.12; older kernels place by another order, and an overlay changes it'
    return finding('ex-order-counted-on', `${text}; ${counted}`, evidence)
  }
  return finding('ex-camera-moves', counted, evidence)
}

const region = ({ machine }: Boot, name: string): ReservedMem | undefined =>
  machine.reserved_mem.regions.find((each) => bare(each) === name)

function stays(each: Boot): boolean {
  const found = region(each, 'camera')
  return found?.base === CAMERA && found.size >= WANTED
}

// The first neighbour that the kernel found no room for, in its own range.
function neighbourWithout(each: Boot): string | null {
  const without = Object.entries(NEIGHBOURS).find(([name, { size, from, length }]) => {
    const found = region(each, name)
    return !found?.ops || found.base < from || found.base + size > from + length
  })
  return without?.[0] ?? null
}

function attach({ machine }: Boot): number {
  const sensor = findNode(machine.tree, '/image-sensor')
  return sensor ? of_reserved_mem_device_init(machine.reserved_mem, createDevice('image-sensor', sensor)) : -19
}

const hex = (value: number): string => `0x${value.toString(16)}`

function placesOf({ kernel, order, machine }: Boot): string {
  const at = (name: string) => {
    const found = machine.reserved_mem.regions.find((each) => bare(each) === name)
    return `${name} ${found?.base ? hex(found.base) : 'nowhere'}`
  }
  return `[${kernel}] in this order: ${order.map(at).join(', ')}`
}

function complaints({ kernel, machine }: Boot): string[] {
  return machine.log.filter((line) => /fail|OVERLAP|invalid/.test(line)).map((line) => `[${kernel}] ${line}`)
}
// #endregion diagnosis
