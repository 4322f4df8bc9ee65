// SPDX-License-Identifier: MIT
//
// A 64-bit program and a driver with two structures of one name: what the driver finds in one of its fields.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { decodeStruct, encodeStruct, layoutOf, type CType } from 'contiguous/lib/c_layout'

const NAMES = ['id', 'offset', 'len', 'count', 'stride'] as const
const LONGS = { id: 'unsigned long', offset: 'unsigned long', len: 'unsigned long', count: 'unsigned long', stride: 'unsigned long' } as const
const INTS = { id: 'unsigned int', offset: 'unsigned int', len: 'unsigned int', count: 'unsigned int', stride: 'unsigned int' } as const

export function ask(rng: Rng): Question {
  const pointer = rng.next(2) === 0
  const head: Record<string, CType> = pointer ? { name: 'pointer', cached: 'char' } : { cached: 'char' }
  const driver = layoutOf({ ...head, ...INTS }, 'LP64')
  const program = layoutOf({ ...head, ...LONGS }, 'LP64')
  const values = Object.fromEntries(NAMES.map((name, i) => [name, 100 * (i + 1) + 1 + rng.next(99)]))
  const field = oneOf(rng, NAMES.slice(1))
  const bytes = encodeStruct(program, values)
  return {
    text: textOf(head, values, field),
    kind: 'number',
    read: 'Two structures of one name',
    answer: String(decodeStruct(driver, bytes.subarray(0, driver.size))[field]),
    wrong: [
      {
        rule: 'ex-by-name',
        answer: String(values[field]),
        text: 'that is what the program wrote under this name; nothing but bytes at offsets goes across',
      },
      {
        rule: 'ex-no-padding',
        answer: packed(head, values, field),
        text: 'the gap behind the char is missing: a field lies at a multiple of its own size',
      },
    ],
  }
}

// As if both were declared without any padding.
function packed(head: Record<string, CType>, values: Record<string, number>, field: string): string {
  const start = 'name' in head ? 9 : 1
  const bytes = new Uint8Array(64)
  const view = new DataView(bytes.buffer)
  NAMES.forEach((name, i) => view.setUint32(start + 8 * i, values[name]!, true))
  return String(view.getUint32(start + 4 * NAMES.indexOf(field as (typeof NAMES)[number]), true))
}

function textOf(head: Record<string, CType>, values: Record<string, number>, field: string): string {
  const lines = (type: string) => [
    'struct region {',
    ...('name' in head ? ['	char *name;'] : []),
    '	char cached;',
    `	${type} ${NAMES.join(', ')};`,
    '};',
  ]
  return [
    'On a 64-bit, little-endian board the driver was built with the first structure and the program with the second.',
    '',
    '```c',
    ...lines('unsigned int'),
    '```',
    '',
    '```c',
    ...lines('unsigned long'),
    '```',
    '',
    'The program clears its structure, sets',
    '',
    '```c',
    ...NAMES.map((name) => `region.${name} = ${values[name]};`),
    '```',
    '',
    'and calls the driver, which copies as many bytes as its own structure has.',
    `What does the driver read in \`${field}\`?`,
  ].join('\n')
}
