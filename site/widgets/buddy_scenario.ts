// SPDX-License-Identifier: MIT
//
// The scenario of `buddy-lists`: memory as a picture (code/machine/picture.ts), and what is asked of it.
//
//     memory: 'M ########........'      quoted, for YAML takes # for a comment
//     order: 0                          of requests that do not say theirs; a number that the prose may let drag
//     steps:
//       - { alloc: a }
//       - { alloc: b, order: 1, gfp: GFP_KERNEL }
//       - { free: a }
import { z } from 'zod'
import { GFP } from './buddy_frames.ts'

const Order = z.int().min(0).max(10)
const Name = z.string().regex(/^[a-z]$/, 'expected one small letter, which is drawn on the pages')

export const BuddyScenario = z.strictObject({
  memory: z.string(),
  maxOrder: Order.optional(),
  kernel: z.enum(['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117']).default('6.12.117'),
  order: Order.default(0),
  steps: z
    .array(
      z.union([
        z.strictObject({
          alloc: Name,
          order: Order.optional(),
          gfp: z.enum(Object.keys(GFP) as [keyof typeof GFP]).default('GFP_HIGHUSER_MOVABLE'),
        }),
        z.strictObject({ free: Name }),
      ]),
    )
    .min(1),
})
