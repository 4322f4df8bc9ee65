// SPDX-License-Identifier: MIT
//
// The number of a command whose structure has padding at its end more often than not.
import { hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { layoutOf, type CType } from 'contiguous/lib/c_layout'
import { _IOC, _IOC_READ, _IOC_WRITE } from 'contiguous/lib/ioctl'

const MACROS = { _IOR: _IOC_READ, _IOW: _IOC_WRITE, _IOWR: _IOC_READ | _IOC_WRITE } as const
const SHAPES: readonly Readonly<Record<string, CType>>[] = [
  { offset: '__u64', length: '__u32' },
  { width: '__u16', stride: '__u32', height: '__u16' },
  { fence: '__u64', fd: '__s32' },
  { plane: '__u8', offset: '__u64' },
  { format: '__u32', address: '__u64', planes: '__u8' },
  { x: '__u16', y: '__u16', colour: '__u32', flags: '__u8' },
]

export function ask(rng: Rng): Question {
  const macro = oneOf(rng, ['_IOR', '_IOW', '_IOWR'] as const)
  const fields = oneOf(rng, SHAPES)
  const type = 0xb0 + rng.next(16)
  const nr = 0x20 + rng.next(64)
  const { size, widths } = layoutOf(fields, 'LP64')
  const number = (dir: number, bytes: number) => hex(_IOC(dir, type, nr, bytes))
  const dir = MACROS[macro]
  const turned = dir === (_IOC_READ | _IOC_WRITE) ? _IOC_WRITE : (_IOC_READ | _IOC_WRITE) - dir
  return {
    text: textOf(macro, fields, type, nr),
    kind: 'hex',
    read: 'A number that says what it carries',
    answer: number(dir, size),
    wrong: [
      {
        rule: 'ex-padding-forgotten',
        answer: number(dir, Object.values<number>(widths).reduce((sum, width) => sum + width, 0)),
        text: 'the fields are added up; sizeof() counts what the compiler puts between them and behind them as well',
        read: 'Two structures of one name',
      },
      {
        rule: 'ex-direction-turned',
        answer: number(turned, size),
        text: 'the direction bits are other ones: they say what the program does, writing is 1 and reading 2',
      },
      {
        rule: 'ex-size-of-a-pointer',
        answer: number(dir, 8),
        text: 'the size is that of the structure, and not that of the pointer which ioctl() is given',
      },
    ],
  }
}

function textOf(macro: string, fields: Readonly<Record<string, CType>>, type: number, nr: number): string {
  return [
    'A header for arm64 programs has',
    '',
    '```c',
    'struct frame_request {',
    ...Object.entries(fields).map(([name, width]) => `	${width} ${name};`),
    '};',
    '',
    `#define FRAME_REQUEST	${macro}(${hex(type)}, ${hex(nr)}, struct frame_request)`,
    '```',
    '',
    'Which number is `FRAME_REQUEST`?',
  ].join('\n')
}
