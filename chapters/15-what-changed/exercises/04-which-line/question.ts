// SPDX-License-Identifier: MIT
//
// The line with which an old kernel announces its default area: whose block, whose words, which place.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import type { KernelVersion } from 'contiguous/lib/kernel_version'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

interface Drawn {
  readonly kernel: KernelVersion
  readonly base: number
  readonly ram: number
  readonly asked: number
}

export function ask(rng: Rng): Question {
  const kernel = oneOf(rng, ['3.5', '3.5', '3.9', '4.6', '4.12.4'] as const)
  const base = oneOf(rng, [0x1000_0000, 0x2000_0000, 0x4000_0000, 0x8000_0000])
  const ram = MiB(128 * (1 + rng.next(4)))
  // Rounded up to 4 MiB it is something else than rounded up to 8.
  const asked = 8 * (1 + rng.next(5)) + 1 + rng.next(3)
  const drawn: Drawn = { kernel, base, ram, asked }
  const block = kernel === '3.5' ? 8 : 4
  const answer = announced(drawn)
  const sibling = kernel.startsWith('3') ? '4.12.4' : '3.9'
  return {
    text: textOf(drawn),
    kind: 'line',
    read: 'One line, six times',
    answer,
    wrong: [
      {
        rule: 'ex-block-of-another-kernel',
        answer: announced(drawn, kernel, 12 - block),
        text: 'the block that this kernel builds areas of has another size',
      },
      {
        rule: 'ex-size-not-rounded',
        answer: answer.replace(/\d+ MiB/, `${asked} MiB`),
        text: 'the area consists of whole blocks, and the line says what was reserved, not what was asked for',
      },
      {
        rule: 'ex-words-of-another-kernel',
        answer: announced(drawn, sibling, block),
        text: 'place and size are right, the words are those of another kernel',
      },
    ],
  }
}

function announced({ base, ram, asked, kernel }: Drawn, as = kernel, block?: number): string {
  const source = `/dts-v1/;
/ {
	#address-cells = <1>;
	#size-cells = <1>;
	memory@${base.toString(16)} { device_type = "memory"; reg = <${hex(base)} ${hex(ram)}>; };
};`
  const { tree } = parseDts(source, 'board.dts')
  const config = block === undefined ? {} : { cmaAlignment: MiB(block) }
  const machine = bootMachine({ tree: tree!, kernel: as, arch: 'arm', cmdline: `cma=${asked}M`, config })
  return machine.log.find((line) => line.startsWith('cma: ')) ?? ''
}

function textOf({ kernel, base, ram, asked }: Drawn): string {
  return [
    `A 32-bit ARM board has ${ram / MiB(1)} MiB of RAM, from ${hex(base)} on, all of it lowmem, and pages of 4 KiB.`,
    'The largest piece of its buddy allocator has 4 MiB, and so has a pageblock.',
    `Nothing is reserved at the upper end of RAM, and Linux ${kernel} boots with \`cma=${asked}M\`.`,
    '',
    'Which line does the kernel print about its CMA area, without the time stamp?',
  ].join('\n')
}
