// SPDX-License-Identifier: MIT
//
// The last line of the log about a default area that is asked for at an address.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { bootMachine } from 'contiguous/machine/boot'
import { parseDts } from 'contiguous/of/dts_parser'

export function ask(rng: Rng): Question {
  const size = 3 + rng.next(60)
  const base = 0x5000_0000 + MiB(2) * rng.next(96) + oneOf(rng, [0, 0, MiB(1)])
  const asked = `cma=${size}M@${hex(base)}`
  const rounded = size + (size % 2)
  const reserved = (mib: number, at: number) =>
    `cma: Reserved ${mib} MiB at 0x${at.toString(16).padStart(16, '0')}`
  return {
    text: [
      'A board has 512 MiB of RAM, from 0x40000000 on, pageblocks of 2 MiB, and no `/reserved-memory`.',
      `It boots 6.1 with \`${asked}\`.`,
      'Nothing is reserved near that address.',
      'What is the last line of the log that begins with `cma:`?',
    ].join('\n'),
    kind: 'line',
    read: 'Where, and how much of it',
    answer: lastLine(asked),
    wrong: [
      {
        rule: 'ex-granted-as-asked',
        answer: reserved(size, base),
        text: 'not every size can be had at every address: round the size up and the end down, and see whether it still fits',
      },
      {
        rule: 'ex-granted-rounded',
        answer: reserved(rounded + (size % 2 ? 0 : 2), base),
        text: 'the size is rounded, and so is the limit, which is the end of what was asked for: they must not cross',
      },
      {
        rule: 'ex-failure-size-asked',
        answer: `cma: Failed to reserve ${size % 2 && base % MiB(2) === 0 ? size : rounded + 2} MiB`,
        text: 'a refusal names the size as it is at that moment: rounded, unless the base was refused before',
      },
      {
        rule: 'ex-line-before-last',
        answer: firstLine(asked),
        text: 'that line says why; another one follows it',
      },
    ],
  }
}

function linesOf(cmdline: string): string[] {
  const source = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x20000000>; };
};`
  const { tree } = parseDts(source, 'board.dts')
  const machine = bootMachine({ tree: tree!, kernel: '6.1.192', arch: 'arm64', cmdline })
  return machine.log.filter((line) => line.startsWith('cma:'))
}

const lastLine = (cmdline: string): string => linesOf(cmdline).at(-1) ?? ''
const firstLine = (cmdline: string): string => linesOf(cmdline)[0] ?? ''
