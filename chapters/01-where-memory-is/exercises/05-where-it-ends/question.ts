// SPDX-License-Identifier: MIT
//
// The last byte of System RAM on a board with two banks and a mem=. The limit reaches into the second bank.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { GiB, MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { memblock_end_of_DRAM } from 'contiguous/mm/memblock'
import { parseDts } from 'contiguous/of/dts_parser'

interface Drawn {
  readonly first: { readonly base: number; readonly size: number }
  readonly second: { readonly base: number; readonly size: number }
  /** In MiB. */
  readonly limit: number
}

export function ask(rng: Rng): Question {
  const first = { base: MiB(256) * (1 + rng.next(8)), size: MiB(256) * (1 + rng.next(4)) }
  const second = { base: oneOf(rng, [GiB(4), GiB(16), GiB(32)]), size: GiB(1) }
  const limit = first.size / MiB(1) + 16 * (1 + rng.next(40))
  const drawn = { first, second, limit }
  const end = endOf(drawn)
  return {
    text: textOf(drawn),
    kind: 'hex',
    read: 'Told to use less',
    answer: hex(end - 1),
    wrong: [
      {
        rule: 'ex-limit-as-address',
        answer: hex(MiB(limit) - 1),
        text: 'that is where x86 would stop: there the limit is an address; arm64 counts bytes of RAM',
      },
      {
        rule: 'ex-holes-counted',
        answer: hex(first.base + MiB(limit) - 1),
        text: 'you count on through the gap between the banks; a gap is not RAM and uses up nothing',
      },
      {
        rule: 'ex-limit-from-second-bank',
        answer: hex(second.base + MiB(limit) - 1),
        text: 'the first bank has its share of the limit; count only the rest from the second',
      },
      {
        rule: 'ex-end-not-last',
        answer: hex(end),
        text: 'that is the first byte behind RAM; a line of /proc/iomem ends with the last byte',
        read: 'Reading /proc/iomem',
      },
    ],
  }
}

const cells = (value: number): string => `${hex(Math.floor(value / 2 ** 32))} ${hex(value % 2 ** 32)}`

const regOf = ({ first, second }: Drawn): string =>
  [first, second].map(({ base, size }) => `<${cells(base)} ${cells(size)}>`).join(', ')

function endOf(drawn: Drawn): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory { device_type = "memory"; reg = ${regOf(drawn)}; };
};`
  const { tree } = parseDts(source, 'board.dts')
  const cmdline = `cma=0 mem=${drawn.limit}M`
  return memblock_end_of_DRAM(
    bootMachine({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline }).memblock,
  )
}

function textOf(drawn: Drawn): string {
  return [
    'An arm64 board says of its RAM, with two cells for an address and two for a size:',
    '',
    '```dts',
    'device_type = "memory";',
    `reg = ${regOf(drawn)};`,
    '```',
    '',
    `6.12 is booted with \`mem=${drawn.limit}M\`.`,
    'What is the last byte of System RAM?',
  ].join('\n')
}
