// SPDX-License-Identifier: MIT
//
// The board of kernel/dts/replay.dtso as a tree of its own: what the overlay adds to, and the overlay.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDts } from '../../code/of/dts_parser.ts'
import type { DeviceTree } from '../../code/of/tree.ts'
import { root } from '../support/files.ts'

/** @throws Error when the overlay is no longer one that stands by itself */
export function replayTree(): DeviceTree {
  const overlay = readFileSync(join(root, 'kernel/dts/replay.dtso'), 'utf8')
  const whole = overlay.replace('/plugin/;\n', '').replace('&{/} {', '/ {')
  const { tree, diagnostics } = parseDts(whole, 'replay.dtso')
  if (!tree) throw new Error(JSON.stringify(diagnostics))
  return tree
}
