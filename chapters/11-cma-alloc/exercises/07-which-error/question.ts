// SPDX-License-Identifier: MIT
//
// The number at the end of the line: for a bitmap that is full, a page that is held, a page with nowhere to go, a caller that
// was killed, in an order by lot.
import { errnoName, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { EBUSY, EINTR, ENOMEM } from 'contiguous/lib/errno'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import { parseDts } from 'contiguous/of/dts_parser'

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`

// What an attempt meets, and what alloc_contig_range() says then.
const MEETS = [
  { says: -EBUSY, what: 'a page that somebody holds' },
  { says: -ENOMEM, what: 'a page that has to move, while no page is free anywhere else' },
  { says: -EINTR, what: 'nobody, but the caller is killed meanwhile' },
] as const

export function ask(rng: Rng): Question {
  // Seven places at least, so that four busy ones are followed by another.
  const wanted = 20 + rng.next(6)
  const busy = rng.next(5)
  const last = oneOf(rng, MEETS)
  const end = { ret: told(wanted, [...Array<number>(busy).fill(-EBUSY), last.says]) }
  return {
    text: [
      `6.12 boots with \`cma=32M\`, of which 96 pages are taken. A driver wants ${wanted} MiB.`,
      meeting(busy, last),
      'Which error stands at the end of the line `alloc failed`?',
    ].join('\n'),
    kind: 'errno',
    read: 'What the failure says',
    answer: errnoName(end.ret),
    wrong: [
      ...(end.ret === -ENOMEM
        ? []
        : [
            {
              rule: 'ex-always-enomem',
              answer: '-ENOMEM',
              text: 'the caller of the DMA API gets no buffer, whatever the reason; the line has the reason of the last attempt',
            },
          ]),
      ...(end.ret === -EBUSY
        ? []
        : [
            {
              rule: 'ex-busy-stays',
              answer: '-EBUSY',
              text: 'that is what an attempt before gave, or what another page would have given; the last attempt ended otherwise',
            },
          ]),
      {
        rule: 'ex-no-space',
        answer: '-ENOSPC',
        text: 'no part of the search gives that; cma_test says it when all its slots are in use',
      },
    ],
  }
}

function meeting(busy: number, last: (typeof MEETS)[number]): string {
  if (last.says === -EBUSY) return `At every place that is free in the bitmap the search meets ${last.what}.`
  if (busy === 0) return `At its first place the search meets ${last.what}.`
  const places = busy === 1 ? 'first place' : `first ${busy} places`
  return `At its ${places} the search meets ${MEETS[0].what}, and at the next one ${last.what}.`
}

function told(wanted: number, rets: readonly number[]): number {
  const { tree } = parseDts(BOARD, 'board.dts')
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=32M' })
  let at = 0
  cma_alloc(system.vm, system.cma[0]!, wanted * 256, 8, false, () => rets[Math.min(at++, rets.length - 1)]!)
  const line = system.printk.lines.find((each) => each.includes('alloc failed'))
  const ret = /ret: (-\d+)$/.exec(line ?? '')?.[1]
  if (ret === undefined) throw new Error(`no line of the failure in ${system.printk.lines.length}; expected one`)
  return Number(ret)
}
