// SPDX-License-Identifier: MIT
//
// The film of `three-addresses`: one byte of a coherent buffer as the driver's pointer, as a place in RAM and as what a
// device puts on its bus. Two devices get a buffer: one on a bus that counts from elsewhere, one that sees RAM as it is.
import { formatVa } from '../../code/arch/kernel_layout.ts'
import { translate } from '../../code/arch/kernel_map.ts'
import { dma_to_phys, phys_to_dma } from '../../code/dma/dma_address.ts'
import { dma_alloc_coherent } from '../../code/dma/mapping.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { of_dma_configure } from '../../code/of/device.ts'
import { createDevice } from '../../code/of/reserved_mem.ts'
import { findNode } from '../../code/of/tree.ts'
import { treeOf } from './board.ts'
import type { Frame, Said } from './frame.ts'

export interface AddressesScenario {
  /** Unit: KiB. */
  readonly buffer: number
  /** Unit: bytes. */
  readonly byte: number
  /** Where RAM begins for the camera's bus. Unit: MiB. */
  readonly bus: number
}

/** One of the three: the buffer's first byte, and the one that is followed. */
export interface Address {
  readonly first: string
  readonly byte: string
  /** Whether the film has come to it. */
  readonly known: boolean
}

export interface AddressesFrame extends Frame {
  readonly device: string
  readonly byte: number
  /** How far into the buffer that is, 0 to 1. */
  readonly part: number
  readonly cpu: Address
  readonly phys: Address
  readonly dma: Address
}

const KERNEL = '6.12.117'
const RAM = 0x4000_0000
const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`

const boardOf = (bus: number): string => `/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
	soc {
		#address-cells = <1>; #size-cells = <1>;
		dma-ranges = <${hex(bus * 2 ** 20)} 0x0 0x40000000 0x20000000>;
		camera { };
	};
	card { };
};`

function film(system: System, path: string, { buffer, byte }: AddressesScenario): AddressesFrame[] {
  const { dma, kernelMap, machine } = system
  const name = path.split('/').at(-1)!
  const device = createDevice(name, findNode(machine.tree, path))
  of_dma_configure(KERNEL, device)
  const found = dma_alloc_coherent(dma, device, buffer * 1024, GFP_KERNEL)
  if (!found)
    throw new Error(`three-addresses: no buffer of ${buffer} KiB for ${name}, expected room in the CMA area`)
  const at = found.cpu_addr + byte
  const { pa } = translate(kernelMap, at)
  const handle = phys_to_dma(KERNEL, device, pa)
  const cpuText = (va: number): string => `0x${formatVa('arm64', va)}`
  const pair = (first: string, of: string): Omit<Address, 'known'> => ({ first, byte: of })
  const addresses = {
    cpu: pair(cpuText(found.cpu_addr), cpuText(at)),
    phys: pair(hex(pa - byte), hex(pa)),
    dma: pair(hex(found.dma_handle), hex(handle)),
  }
  const frame = (known: number, said: Said): AddressesFrame => ({
    said,
    device: name,
    byte,
    part: byte / (buffer * 1024),
    cpu: { ...addresses.cpu, known: known > 0 },
    phys: { ...addresses.phys, known: known > 1 },
    dma: { ...addresses.dma, known: known > 2 },
  })
  const shift = handle - pa
  const values = {
    device: name,
    byte,
    cpu: addresses.cpu.byte,
    phys: addresses.phys.byte,
    dma: addresses.dma.byte,
  }
  const ranges = shift === 0 ? 'dmaSame' : shift < 0 ? 'dmaBelow' : 'dmaAbove'
  return [
    frame(1, { word: 'gets', values }),
    frame(2, { word: 'phys', values }),
    frame(3, { word: ranges, values: { ...values, shift: hex(Math.abs(shift)) } }),
    frame(3, { word: 'back', values: { ...values, again: hex(dma_to_phys(KERNEL, device, handle)) } }),
  ]
}

/** Throws what the models throw, and when the byte lies outside the buffer. */
export function addressesFrames(scenario: AddressesScenario): AddressesFrame[] {
  const { buffer, byte, bus } = scenario
  if (byte >= buffer * 1024) throw new Error(`three-addresses: byte ${byte}, expected below ${buffer * 1024}`)
  if (bus * 2 ** 20 + 0x2000_0000 > 2 ** 32)
    throw new Error(`three-addresses: bus ${bus} MiB, expected RAM to end below 4 GiB`)
  const system = startSystem({
    tree: treeOf(boardOf(bus)),
    kernel: KERNEL,
    arch: 'arm64',
    cmdline: `cma=16M@${hex(RAM + 2 ** 28)}`,
  })
  return ['/soc/camera', '/card'].flatMap((path) => film(system, path, scenario))
}
