// SPDX-License-Identifier: MIT
//
// The plain board of widgets that need one: one bank of RAM, and nothing reserved.
import { parseDts } from '../../code/of/dts_parser.ts'
import type { DeviceTree } from '../../code/of/tree.ts'

/** A tree with `ram` MiB from 0x4000_0000 on. */
export function boardTree(ram: number): DeviceTree {
  return treeOf(`/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x${Math.floor(ram / 4096).toString(16)} 0x${((ram % 4096) * 2 ** 20).toString(16)}>; };
};`)
}

/** Throws what is wrong with the source, with its line. */
export function treeOf(source: string): DeviceTree {
  const { tree, diagnostics } = parseDts(source, 'board.dts')
  if (tree) return tree
  const [first] = diagnostics
  throw new Error(`board.dts:${first?.line}: ${first?.text}`)
}
