// SPDX-License-Identifier: MIT
//
// From a device to its region: the device's node has `memory-region = <&pool>;`, its driver calls
// of_reserved_mem_device_init() in probe and of_reserved_mem_device_release() in remove, after the last buffer is freed.
//
// A call that fails leaves nothing behind (MC-5.10). One that returns 0 is no proof of a pool: a disabled region gives 0.

// #region reserved-device-imports
import { EINVAL, ENODEV } from '../lib/errno.ts'
import { kernelAtLeast } from '../lib/kernel_version.ts'
import { of_fdt_device_is_available } from './fdt.ts'
import type { Device, ReservedMem, ReservedMemTable } from './reserved_mem.ts'
import { cellsOf, findByPhandle, phandleOf, property, stringsOf, type DtNode } from './tree.ts'
// #endregion reserved-device-imports

// #region reserved-device-find
/** The node that entry `idx` of the phandle list `name` of `np` points to, or null. @kernel include/linux/of.h of_parse_phandle() v6.12 */
export function of_parse_phandle(
  table: ReservedMemTable,
  np: DtNode,
  name: string,
  idx: number,
): DtNode | null {
  const phandle = idx < 0 ? undefined : cellsOf(property(np, name)?.value ?? new Uint8Array())[idx]
  return phandle ? findByPhandle(table.tree, phandle) : null
}

/** The region of a node, found by its name. @kernel drivers/of/of_reserved_mem.c of_reserved_mem_lookup() v6.12 */
export function of_reserved_mem_lookup(table: ReservedMemTable, np: DtNode): ReservedMem | null {
  return table.regions.find((rmem) => rmem.name === np.name) ?? null
}

// Until 6.1 an attach looks the region up by phandle.
function __find_rmem(table: ReservedMemTable, node: DtNode): ReservedMem | null {
  const phandle = phandleOf(node)
  return table.regions.find((rmem) => phandle !== null && rmem.phandle === phandle) ?? null
}
// #endregion reserved-device-find

// #region reserved-device-init
/**
 * Gives entry `idx` of `memory-region` of `np` to `dev`. 0, also (6.x) when the region is disabled and nothing was given;
 * -EINVAL (no node or device; the region has no driver), -ENODEV (no such entry), or what the region's driver returns.
 * @kernel drivers/of/of_reserved_mem.c of_reserved_mem_device_init_by_idx() v6.12
 * @omits 4.12 calls of_dma_configure() afterwards
 */
export function of_reserved_mem_device_init_by_idx(
  table: ReservedMemTable,
  dev: Device | null,
  np: DtNode | null,
  idx: number,
): number {
  if (!np || !dev) return -EINVAL
  const target = of_parse_phandle(table, np, 'memory-region', idx)
  if (!target) return -ENODEV
  if (kernelAtLeast(table.kernel, '6.1.192') && !of_fdt_device_is_available(target)) return 0
  const byName = kernelAtLeast(table.kernel, '6.12.117')
  const rmem = byName ? of_reserved_mem_lookup(table, target) : __find_rmem(table, target)
  if (!rmem?.ops) return -EINVAL
  const ret = rmem.ops.device_init(rmem, dev)
  if (ret !== 0) return ret
  table.assigned.unshift({ dev, rmem })
  table.log.print('info', `${dev.name}: assigned reserved memory node ${rmem.name}`)
  return 0
}
// #endregion reserved-device-init

// #region reserved-device-init-short
/** The first region of the device's own node. @kernel include/linux/of_reserved_mem.h of_reserved_mem_device_init() v6.12 */
export function of_reserved_mem_device_init(table: ReservedMemTable, dev: Device): number {
  return of_reserved_mem_device_init_by_idx(table, dev, dev.of_node, 0)
}

/**
 * The region called `name` in `memory-region-names`; a name that is not there is -ENODEV.
 * @kernel drivers/of/of_reserved_mem.c of_reserved_mem_device_init_by_name() v6.12
 */
export function of_reserved_mem_device_init_by_name(
  table: ReservedMemTable,
  dev: Device,
  np: DtNode,
  name: string,
): number {
  const names = stringsOf(property(np, 'memory-region-names')?.value ?? new Uint8Array())
  return of_reserved_mem_device_init_by_idx(table, dev, np, names.indexOf(name))
}
// #endregion reserved-device-init-short

// #region reserved-device-release
/**
 * Takes back all that `dev` was given, the newest first; nothing when it was given nothing. 4.x takes back one a call.
 * @kernel drivers/of/of_reserved_mem.c of_reserved_mem_device_release() v6.12
 */
export function of_reserved_mem_device_release(table: ReservedMemTable, dev: Device): void {
  const mine = table.assigned.filter((entry) => entry.dev === dev)
  const back = kernelAtLeast(table.kernel, '6.1.192') ? mine : mine.slice(0, 1)
  for (const entry of back) {
    table.assigned.splice(table.assigned.indexOf(entry), 1)
    entry.rmem.ops?.device_release(entry.rmem, dev)
  }
}
// #endregion reserved-device-release
