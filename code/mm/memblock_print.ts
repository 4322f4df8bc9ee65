// SPDX-License-Identifier: MIT
//
// memblock as a booted kernel shows it: in the log with `memblock=debug`, and on arm and arm64 for ever after in
// /sys/kernel/debug/memblock/{memory,reserved}.

// #region memblock-print
import { kernelAtLeast, type KernelVersion } from '../lib/kernel_version.ts'
import { formatPa, lastPa } from '../lib/units.ts'
import { totalSize, type Memblock, type MemblockType } from './memblock.ts'

/**
 * The lines that `memblock=debug` prints when the lists stand.
 * @kernel mm/memblock.c memblock_dump_all() v6.12
 * @omits ` on node %d` behind the bytes; the line of each single call
 */
export function memblock_dump_all(memblock: Memblock): string[] {
  const pa = (addr: number | bigint) => formatPa(addr, memblock.physAddrBits)
  const { memory, reserved } = memblock
  return [
    'MEMBLOCK configuration:',
    ` memory size = ${pa(totalSize(memory))} reserved size = ${pa(totalSize(reserved))}`,
    ...[memory, reserved].flatMap((type) => [
      ` ${type.name}.cnt  = 0x${type.regions.length.toString(16)}`,
      ...type.regions.map(
        (region, i) =>
          ` ${type.name}[0x${i.toString(16)}]\t[${pa(region.base)}-${pa(lastPa(region.base, region.size))}], ` +
          `${pa(region.size)} bytes flags: 0x${region.flags.toString(16)}`,
      ),
    ]),
  ]
}

const FLAG_NAMES = ['HOTPLUG', 'MIRROR', 'NOMAP', 'DRV_MNG', 'RSV_NIT']

/**
 * The file of one list. Until 6.1 a line is a range; 6.12 adds the node and the flags. `nid` null is a kernel without NUMA.
 * @kernel mm/memblock.c memblock_debug_show() v6.12
 */
export function memblock_debug_show(
  memblock: Memblock,
  type: MemblockType,
  kernel: KernelVersion,
  nid: number | null,
): string {
  const pa = (addr: number | bigint) => formatPa(addr, memblock.physAddrBits)
  const lines = type.regions.map((region, i) => {
    const range = `${String(i).padStart(4)}: ${pa(region.base)}..${pa(lastPa(region.base, region.size))}`
    if (!kernelAtLeast(kernel, '6.12.117')) return range
    const set = FLAG_NAMES.filter((_, bit) => region.flags & (2 ** bit))
    return `${range} ${String(nid ?? 'x').padStart(4)} ${set.join('|') || 'NONE'}`
  })
  return lines.map((line) => line + '\n').join('')
}
// #endregion memblock-print
