// SPDX-License-Identifier: MIT
//
// What a reader waits for when a cell runs: a machine booted with the gallery of reserved-memory nodes, against parsing
// the same tree, which has to happen anyway.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootMachine } from '../../code/machine/boot.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { type BenchResult, sideBySide } from './measure.ts'

export function bootBench(): BenchResult {
  const nodes = Array.from({ length: 60 }, (_, index) => {
    const base = (0x4400_0000 + index * 0x40_0000).toString(16)
    return `pool@${base} { compatible = "shared-dma-pool"; no-map; reg = <0x0 0x${base} 0x0 0x200000>; };`
  })
  const source = readFileSync(join(process.cwd(), 'test/bench/board.dts'), 'utf8').replace(
    'NODES',
    nodes.join('\n'),
  )
  const { tree } = parseDts(source, 'board.dts')
  if (!tree) throw new Error('test/bench/board.dts does not parse')
  return {
    what: 'booting 60 regions against parsing their tree',
    limit: 6,
    ...sideBySide(
      25,
      () => bootMachine({ tree, kernel: '6.12.117', arch: 'arm64' }),
      () => parseDts(source, 'board.dts'),
    ),
  }
}
