// SPDX-License-Identifier: MIT
//
// Small boards for the tests of memblock, reserved memory and boot: a tree in a few words.
import { readFileSync } from 'node:fs'
import { bootMachine, type BootOptions, type Machine } from '../../code/machine/boot.ts'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import type { DeviceTree } from '../../code/of/tree.ts'

export function parse(source: string, file = 'board.dts'): DeviceTree {
  const { tree, diagnostics } = parseDts(source, file)
  if (!tree) throw new Error(diagnostics.map(formatDiagnostic).join('\n'))
  return tree
}

const hex = (n: number) => `0x${Math.floor(n / 2 ** 32).toString(16)} 0x${(n % 2 ** 32).toString(16)}`

/** RAM of `size` bytes at `base`, with these children of /reserved-memory and of the root; cells are 2 and 2. */
export function board(
  ram: readonly [base: number, size: number],
  reserved = '',
  rest = '',
  before = '',
): DeviceTree {
  return parse(`/dts-v1/;
${before}
/ {
  #address-cells = <2>;
  #size-cells = <2>;
  memory@0 { device_type = "memory"; reg = <${hex(ram[0])} ${hex(ram[1])}>; };
  ${reserved && `reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${reserved} };`}
  ${rest}
};`)
}

/** One of kernel/dts, as the board's own tree: the overlays there bring their memory node along. */
export function shippedTree(name: string): DeviceTree {
  const file = new URL(`../../kernel/dts/${name}.dtso`, import.meta.url)
  const text = readFileSync(file, 'utf8').replace('/plugin/;', '').replace('&{/}', '/')
  return parse(text, `${name}.dtso`)
}

/** A machine in which nothing is in the way: no image, no initrd, no default CMA area unless asked for. */
export function bare(options: Pick<BootOptions, 'tree' | 'kernel'> & Partial<BootOptions>): Machine {
  return bootMachine({ arch: 'arm64', image: null, cmdline: 'cma=0', ...options })
}

export const RAM_1G = [0x4000_0000, 0x4000_0000] as const
