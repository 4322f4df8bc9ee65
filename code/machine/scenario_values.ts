// SPDX-License-Identifier: MIT
//
// The small values that a scenario is written with: sizes, addresses, gfp flags, bytes, kernels, directions.
//
//     size    4096, 64K, 16M, 1G          gfp    GFP_KERNEL|__GFP_ZERO       direction  TO_DEVICE
//     bytes   a text, [0xaa, 0x55], or { byte: 0xaa, times: 64 }             kernel     6.12 or 6.12.117
//
// Each is a zod schema that says in its message what was expected; the reader gets the number or the bytes.

// #region scenario-values
import { z } from 'zod'
import { KERNEL_VERSIONS, modelledKernel, type KernelVersion } from '../lib/kernel_version.ts'
import * as gfpFlags from '../mm/gfp.ts'

/** The name of a result: letters, digits, - and _. */
export const nameValue = z.string().regex(/^[A-Za-z][\w-]*$/, 'expected a name of letters, digits, - and _')

/** A count of pages, bits or bytes: a whole number from 0. */
export const countValue = z.int().min(0)

const SUFFIX: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** A size in bytes: a number, or a number with K, M or G. */
export const sizeValue = z.union([z.int().min(0), z.string()]).transform((value, context): number => {
  if (typeof value === 'number') return value
  const match = /^(\d+|0x[\da-f]+)([KMG]?)$/i.exec(value)
  if (match) return Number(match[1]) * SUFFIX[match[2]!.toUpperCase()]!
  context.addIssue({ code: 'custom', message: `expected a size such as 4096, 64K or 16M, got "${value}"` })
  return z.NEVER
})

/** A modelled kernel; a series such as 6.12 stands for its patch level. YAML reads 3.5 as a number: that is fine. */
export const kernelValue = z.union([z.string(), z.number()]).transform((value, context): KernelVersion => {
  const modelled = modelledKernel(String(value))
  if (modelled) return modelled.kernel
  const message = `expected a modelled kernel (${KERNEL_VERSIONS.join(', ')}), got ${JSON.stringify(value)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const GFP: Readonly<Record<string, unknown>> = gfpFlags
const GFP_WORDS = Object.keys(GFP).filter((word) => /^(__)?GFP_/.test(word))

/** gfp flags by their names in the kernel, joined by `|`. */
export const gfpValue = z.string().transform((value, context): number => {
  let flags = 0
  for (const word of value.split('|').map((each) => each.trim())) {
    const bits = GFP_WORDS.includes(word) ? GFP[word] : undefined
    if (typeof bits !== 'number') {
      const message = `expected flags among ${GFP_WORDS.join(', ')}, got "${word}"`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    flags |= bits
  }
  return flags
})

const byte = z.int().min(0).max(255)

/** Bytes: a text in UTF-8, a list, or one byte many times. */
export const bytesValue = z.union([
  z
    .string()
    .min(1)
    .transform((text) => [...new TextEncoder().encode(text)]),
  z.array(byte).min(1),
  z
    .strictObject({
      byte,
      times: z
        .int()
        .min(1)
        .max(2 ** 24),
    })
    .transform(({ byte: value, times }) => new Array<number>(times).fill(value)),
])

/** Which way the data goes. @kernel include/linux/dma-direction.h enum dma_data_direction v6.12 */
export const directionValue = z.enum(['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE'])

const plain = z.union([z.number(), z.string(), z.boolean(), z.null()])

/**
 * What a result must be: the value itself, a list of numbers, or a comparison. `sameAs: before.pfn` names a field of an
 * earlier result.
 */
export const expectedValue = z.union([
  plain,
  z.array(z.number()),
  z.strictObject({
    sameAs: z.string().optional(),
    not: plain.optional(),
    differsFrom: z.string().optional(),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
  }),
])
export type Expected = z.output<typeof expectedValue>
// #endregion scenario-values
