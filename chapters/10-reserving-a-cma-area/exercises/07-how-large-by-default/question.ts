// SPDX-License-Identifier: MIT
//
// The size of the default area when the kernel was configured with one of the four choices and nobody says cma=.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { GiB, MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

type Choose = 'MBYTES' | 'PERCENTAGE' | 'MIN' | 'MAX'

interface Drawn {
  /** MiB of RAM. */
  readonly ram: number
  readonly choose: Choose
  readonly mbytes: number
  readonly percentage: number
}

export function ask(rng: Rng): Question {
  const drawn: Drawn = {
    ram: 256 * (1 + rng.next(7)),
    choose: oneOf(rng, ['PERCENTAGE', 'MIN', 'MAX', 'PERCENTAGE'] as const),
    mbytes: oneOf(rng, [16, 32, 64]),
    percentage: oneOf(rng, [3, 7, 11, 13]),
  }
  const choice = (choose: Choose): string => String(sizeOf({ ...drawn, choose }))
  const part = (drawn.ram * drawn.percentage) / 100
  return {
    text: textOf(drawn),
    kind: 'number',
    read: 'What was asked',
    answer: choice(drawn.choose),
    wrong: [
      {
        rule: 'ex-part-rounded-down',
        answer: String(Math.floor(part / 2) * 2),
        text: 'an area is at least as large as what was asked for: the size is rounded up to pageblocks',
        read: 'Where, and how much of it',
      },
      {
        rule: 'ex-part-not-rounded',
        answer: String(Math.ceil(part / 2) * 2 - 1),
        text: 'an area is a whole number of pageblocks, so an odd number of mebibytes cannot be',
        read: 'Where, and how much of it',
      },
      {
        rule: 'ex-other-choice',
        answer: choice(drawn.choose === 'MIN' ? 'MAX' : drawn.choose === 'MAX' ? 'MIN' : 'MBYTES'),
        text: 'that would be another of the four choices',
      },
    ],
  }
}

function sizeOf({ ram, ...cmaSize }: Drawn): number {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x${MiB(ram).toString(16)}>; };
};`
  const { tree } = parseDts(source, 'board.dts')
  const machine = bootMachine({
    tree: tree!,
    kernel: '6.1.192',
    arch: 'arm64',
    cmdline: '',
    config: { cmaSize },
  })
  return (machine.contiguous.dma_contiguous_default_area?.size ?? 0) / MiB(1)
}

const SAYS: Record<Choose, string> = {
  MBYTES: 'the size in MiB',
  PERCENTAGE: 'the percentage',
  MIN: 'the smaller of the two',
  MAX: 'the larger of the two',
}

function textOf({ ram, choose, mbytes, percentage }: Drawn): string {
  const much = ram % 1024 === 0 ? `${MiB(ram) / GiB(1)} GiB` : `${ram} MiB`
  return [
    `A kernel 6.1 was configured with CMA_SIZE_MBYTES=${mbytes}, CMA_SIZE_PERCENTAGE=${percentage} and CMA_SIZE_SEL_${choose}, which takes ${SAYS[choose]}.`,
    `It boots without \`cma=\` on a board with ${much} of RAM; a pageblock is 2 MiB.`,
    'How many MiB does the default area have?',
  ].join('\n')
}
