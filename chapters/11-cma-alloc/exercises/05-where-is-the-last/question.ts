// SPDX-License-Identifier: MIT
//
// The place of the last of a few buffers of cma_test, in an area of which boot has taken the first pages.
import type { Question, Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { probeCmaTest, writeCmaTest } from 'contiguous/machine/cma_test'
import { startSystem } from 'contiguous/machine/system'
import { cma_used_get } from 'contiguous/mm/cma_debug'
import { parseDts } from 'contiguous/of/dts_parser'

const PAGES_OF_MIB = 256
const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`

export function ask(rng: Rng): Question {
  const sizes = Array.from({ length: 3 + rng.next(3) }, () => 1 + rng.next(7))
  const { bit, boot } = place(sizes)
  const before = sizes.slice(0, -1)
  const sum = before.reduce((all, mib) => all + mib * PAGES_OF_MIB, 0)
  const powers = before.reduce((at, mib) => at + 2 ** Math.ceil(Math.log2(mib)) * PAGES_OF_MIB, PAGES_OF_MIB)
  return {
    text: [
      `A board with pages of 4 KiB boots with \`cma=64M\`, and the pools for atomic allocations take the first ${boot} pages of the area.`,
      `Then cma_test is loaded with \`sizes=${sizes.join(',')}\`, and /dev/cma_test is written to ${sizes.length} times.`,
      'At which bit of the area does the last buffer begin?',
    ].join('\n'),
    kind: 'number',
    read: 'A bit for a page',
    answer: String(bit),
    wrong: [
      {
        rule: 'ex-not-aligned',
        answer: String(boot + sum),
        text: 'that is the first clear bit; a buffer of 1 MiB and more begins at a multiple of 256',
      },
      {
        rule: 'ex-boot-forgotten',
        answer: String(sum),
        text: 'bit 0 is taken: boot was there first',
      },
      {
        rule: 'ex-powers-of-two',
        answer: String(powers),
        text: 'the number of pages is not rounded to a power of two; only a pool and the page allocator do that',
      },
    ],
  }
}

function place(sizes: readonly number[]): { bit: number; boot: number } {
  const { tree } = parseDts(BOARD, 'board.dts')
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=64M' })
  const area = system.cma[0]!
  const boot = cma_used_get(area)
  const test = probeCmaTest(system.dma, { sizes })
  if (typeof test === 'number') throw new Error(`cma_test: ${test}; expected a device`)
  for (const _ of sizes) writeCmaTest(test)
  const last = test.slots.at(-1)!.buffer
  if (!last) throw new Error(`no place for the last of ${sizes.join(', ')} MiB; expected at most ${area.size / MiB(1)}`)
  return { bit: (last.dma_handle - area.base) / system.pgdat.pageSize, boot }
}
