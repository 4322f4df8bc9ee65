// SPDX-License-Identifier: MIT
//
// Lays the reader's structure out as the compilers of arm and arm64 do, and takes the number apart.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { layoutOf, type CFields, type CLayout, type CType } from 'contiguous/lib/c_layout'
import { decodeIoctl } from 'contiguous/lib/ioctl'

const FILE = 'one_layout.ts'
const READ = 'Two structures of one name'
const NUMBER = 'A number that says what it carries'
const KNOWN = [
  ...['char', 'int', 'unsigned int', 'long', 'unsigned long', 'pointer'],
  ...['__u8', '__u16', '__u32', '__s32', '__u64'],
]
const WANTED = { size: 8, flags: 4, granted: 8 } as const

export async function check(context: CheckContext): Promise<CheckResult> {
  const module = context.kind === 'typescript' ? context.module : {}
  const { ALLOCATE_FIELDS: fields, ALLOCATE: number } = module
  if (typeof fields !== 'object' || fields === null || typeof number !== 'number') {
    const text = 'ALLOCATE_FIELDS is not an exported object, or ALLOCATE not an exported number'
    return { findings: [finding('ex-export-missing', text)] }
  }
  const strange = Object.values(fields).find((type) => !KNOWN.includes(String(type)))
  if (strange !== undefined)
    return { findings: [finding('ex-no-such-type', `${String(strange)} is no type of the list`)] }
  const wrong = judgeFields(fields as CFields) ?? judgeNumber(layoutOf(fields as CFields, 'LP64').size, number)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: ['arm and arm64:', ...told(layoutOf(fields as CFields, 'LP64'))] }
}

function finding(rule: string, text: string, evidence: readonly string[] = [], read = READ): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

const told = ({ fields, offsets, widths, size }: CLayout): string[] => [
  ...Object.keys(fields).map((name) => `${name}: ${widths[name]} bytes at ${offsets[name]}`),
  `${size} bytes in all`,
]

function judgeFields(fields: CFields): Finding | null {
  const types = Object.entries(fields) as [string, CType][]
  const pointer = types.find(([, type]) => type === 'pointer')
  if (pointer) {
    const text = `${pointer[0]} is a pointer: the kernel cannot follow it by itself, and its width is the program's`
    return finding('ex-pointer-inside', text)
  }
  const missing = Object.keys(WANTED).find((name) => !(name in fields))
  if (missing !== undefined) return finding('ex-field-missing', `there is no field ${missing}`)
  const arm = layoutOf(fields, 'ILP32')
  const arm64 = layoutOf(fields, 'LP64')
  const moved = types.find(
    ([name]) => arm.offsets[name] !== arm64.offsets[name] || arm.widths[name] !== arm64.widths[name],
  )
  if (moved || arm.size !== arm64.size) {
    const name = moved?.[0] ?? 'the end'
    const text = `${name} is not in the same place, or not of the same width, on arm and on arm64`
    return finding('ex-width-of-the-machine', text, ['arm:', ...told(arm), 'arm64:', ...told(arm64)])
  }
  return judgeRoom(arm64, types)
}

function judgeRoom(layout: CLayout, types: readonly [string, CType][]): Finding | null {
  const { widths, size } = layout
  const narrow = Object.entries(WANTED).find(([name, width]) => widths[name]! < width)
  if (narrow) {
    const text = `${narrow[0]} has ${8 * widths[narrow[0]]!} bits, which is not enough for what it has to carry`
    return finding('ex-too-narrow', text, told(layout))
  }
  const named = Object.values(widths).reduce((sum, width) => sum + width, 0)
  if (named !== size) {
    const text = `${size - named} of the ${size} bytes have no name: nobody sets them, and another compiler may leave them out`
    return finding('ex-hole', text, told(layout))
  }
  const superfluous = types.find(([name]) => !(name in WANTED) && !name.startsWith('reserved'))
  if (superfluous) return finding('ex-not-needed', `${superfluous[0]} is not needed`, told(layout))
  if (size > 24) return finding('ex-not-needed', `${size} bytes are more than it takes`, told(layout))
  return null
}

function judgeNumber(bytes: number, number: number): Finding | null {
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32)
    return finding('ex-number-range', 'a command has 32 bits', [], NUMBER)
  const { dir, size, type, nr } = decodeIoctl(number)
  if (type !== 0xbd || nr !== 1) {
    const text = `the number says type 0x${type.toString(16)}, command ${nr}; expected 0xbd and 1`
    return finding('ex-number-type', text, [], NUMBER)
  }
  if (dir !== 3) {
    const said = ['carries nothing', 'is only written by the program', 'is only read by the program'][dir]!
    const text = `the number says that the structure ${said}, but the program reads in it what was granted`
    return finding('ex-direction', text, [], NUMBER)
  }
  if (size !== bytes) {
    const text = `the number says ${size} bytes, and the structure has another size`
    return finding('ex-number-size', text, [], NUMBER)
  }
  return null
}
