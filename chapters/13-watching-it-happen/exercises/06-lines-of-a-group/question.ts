// SPDX-License-Identifier: MIT
//
// How many lines of the group `cma` some requests leave. The model makes them, one after the other.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc, cma_release } from 'contiguous/mm/cma'
import { parseDts } from 'contiguous/of/dts_parser'

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; };
};`

interface Drawn {
  readonly kernel: '6.1.192' | '6.12.117'
  /** Requests of 256 pages, which there is room for. */
  readonly good: number
  /** Requests of 4000 pages, for which there is none. */
  readonly full: number
  /** Requests of 5000 pages, which is more than the area has. */
  readonly large: number
}

export function ask(rng: Rng): Question {
  const drawn: Drawn = {
    kernel: oneOf(rng, ['6.1.192', '6.12.117'] as const),
    good: 2 + rng.next(6),
    full: 2 + rng.next(4),
    large: 2 + rng.next(5),
  }
  const { good, full, large } = drawn
  return {
    text: [
      `A board runs ${drawn.kernel} and has a CMA area of 4096 pages, of which boot has taken 96. The whole group \`cma\` is traced.`,
      `A driver asks ${good} times for 256 pages, ${full} times for 4000, and ${large} times for 5000, with align 8.`,
      'Then it gives back what it got, each buffer in one piece. Nobody is in the way.',
      '',
      'How many lines are in the trace?',
    ].join('\n'),
    kind: 'number',
    read: 'What a cma_alloc says',
    answer: String(linesOf(drawn)),
    wrong: [
      {
        rule: 'ex-every-start-finished',
        answer: String(2 * (good + full + large) + good),
        text: 'not every start is answered: what is more than the area has gets no finish',
      },
      {
        rule: 'ex-failures-unfinished',
        answer: String(2 * good + full + large + good),
        text: 'a request that the search found no place for has a finish, with no page in it',
      },
      {
        rule: 'ex-releases-forgotten',
        answer: String(2 * (good + full) + large),
        text: 'a release is an event of the same group',
      },
      {
        rule: 'ex-turned-away-before-start',
        answer: String(2 * (good + full) + good),
        text: 'a request that is turned away for its size has had its start before',
      },
    ],
  }
}

function linesOf({ kernel, good, full, large }: Drawn): number {
  const tree = parseDts(BOARD, 'board.dts').tree!
  const { vm, cma, trace } = startSystem({ tree, kernel, arch: 'arm64', cmdline: 'cma=16M', image: null })
  const area = cma[0]!
  const counts = [256, 4000, 5000].flatMap((count, i) => Array<number>([good, full, large][i]!).fill(count))
  const buffers: number[] = []
  trace.enabled = true
  for (const count of counts) {
    const pfn = cma_alloc(vm, area, count, 8, false)
    if (pfn !== null) buffers.push(pfn)
  }
  for (const pfn of buffers) cma_release(vm, area, pfn, 256)
  return trace.records.filter(({ event }) => event.startsWith('cma_')).length
}

