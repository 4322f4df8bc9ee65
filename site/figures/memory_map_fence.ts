// SPDX-License-Identifier: MIT
//
// The `memory-map` fence: YAML → a figure.
//
//   title: Before and after
//   columns:
//     - label: Before
//       ranges:
//         - { base: 0x40000000, size: 1 GiB, label: System RAM, kind: ram }
import { parse } from 'yaml'
import { z } from 'zod'
import { FIRST, type SiteText } from '../languages.ts'
import { failAt, type Where } from '../markdown/fence_info.ts'
import { slugOf } from '../markdown/slug.ts'
import { memoryMap, type RangeKind } from './memory_map.ts'

const UNITS: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** A number of bytes, or `512 MiB`. */
const Size = z.union([z.int().positive(), z.string()]).transform((given, context) => {
  if (typeof given === 'number') return given
  const match = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)$/.exec(given)
  if (match) return Number(match[1]) * UNITS[match[2]!]!
  context.addIssue(`got '${given}', expected a number of bytes or a size such as 512 MiB`)
  return z.NEVER
})
/** A number, or a string such as `0x4000_0000`, grouped as the book prints addresses. */
const Address = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^0x[0-9a-f_]+$/i)
    .transform((text) => Number(text.replaceAll('_', ''))),
])
const Range = z.strictObject({
  base: Address,
  size: Size,
  label: z.string(),
  kind: z.enum(Object.keys(FIRST.kinds) as [RangeKind, ...RangeKind[]]),
})
const Column = z.strictObject({ label: z.string().default(''), ranges: z.array(Range).min(1) })
const Fence = z.union([
  z.strictObject({ title: z.string(), description: z.string().optional(), columns: z.array(Column).min(1) }),
  z
    .strictObject({ title: z.string(), description: z.string().optional(), ranges: z.array(Range).min(1) })
    .transform(({ ranges, ...rest }) => ({ ...rest, columns: [{ label: '', ranges }] })),
])

export function memoryMapFence(content: string, id: string, where: Where, text: SiteText): string {
  let given: unknown
  try {
    given = parse(content)
  } catch (error) {
    failAt(where, 'memory-map', `no YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
  const parsed = Fence.safeParse(given)
  if (!parsed.success) failAt(where, 'memory-map', z.prettifyError(parsed.error).replaceAll('\n', ' '))
  const { title, description, columns } = parsed.data
  const map = { id: id || `map-${slugOf(title)}`, title, columns }
  return memoryMap(description === undefined ? map : { ...map, description }, text)
}
