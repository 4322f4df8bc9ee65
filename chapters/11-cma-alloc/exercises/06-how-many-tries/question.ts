// SPDX-License-Identifier: MIT
//
// How many places are tried when each of them is busy: counted with a range step that says -EBUSY to everybody.
import type { Question, Rng } from 'contiguous/exercise/question'
import { EBUSY } from 'contiguous/lib/errno'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import { parseDts } from 'contiguous/of/dts_parser'

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`
const UNIT = 256

export function ask(rng: Rng): Question {
  const mib = 32 * (1 + rng.next(4))
  const area = mib * 256
  const wanted = 5 + rng.next(mib - 8)
  const count = wanted * 256
  const tries = triesOf(mib, count)
  return {
    text: [
      `A board boots with \`cma=${mib}M\`; the first 96 of the area's ${area} pages are taken, and programs live in the rest.`,
      `A driver wants ${wanted} MiB, and in every place where that could lie somebody holds a page.`,
      'How often does `alloc_contig_range()` fail before the driver gets its answer?',
    ].join('\n'),
    kind: 'number',
    read: 'From a place to pages',
    answer: String(tries),
    wrong: [
      {
        rule: 'ex-gives-up-at-once',
        answer: '1',
        text: 'a busy page ends an attempt, not the search',
      },
      {
        rule: 'ex-steps-by-length',
        answer: String(Math.floor((area - UNIT) / count)),
        text: 'the next place is not behind the whole buffer: it begins one unit of the alignment further on',
      },
      {
        rule: 'ex-bit-0-tried',
        answer: String(tries + 1),
        text: 'a place with a set bit in it is not tried at all',
      },
      {
        rule: 'ex-steps-by-bit',
        answer: String(area - UNIT - count + 1),
        text: 'only places at a multiple of 256 are tried',
      },
      {
        rule: 'ex-wraps-around',
        answer: String(Math.floor(area / UNIT)),
        text: 'a place too near to the end of the area is none, and the search does not begin again at its start',
      },
    ],
  }
}

function triesOf(mib: number, count: number): number {
  const { tree } = parseDts(BOARD, 'board.dts')
  const { vm, cma } = startSystem({ tree: tree!, kernel: '6.1.192', arch: 'arm64', cmdline: `cma=${mib}M` })
  let tries = 0
  cma_alloc(vm, cma[0]!, count, 8, true, () => {
    tries++
    return -EBUSY
  })
  return tries
}
