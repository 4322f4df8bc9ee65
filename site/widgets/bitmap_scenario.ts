// SPDX-License-Identifier: MIT
//
// The scenario of `cma-bitmap`: a board with a default CMA area, and what is asked of the area.
//
//     ram: 512                  MiB
//     cma: 16                   MiB, `cma=16M` on the command line
//     align: 8                  of cma_alloc(), for requests that do not say theirs: an order
//     steps:
//       - { alloc: a, pages: 256 }
//       - { hold: 300 }         somebody takes a reference of the page at bit 300
//       - { release: a }
//       - { drop: 300 }         and lets it go
import { z } from 'zod'

const Name = z.string().regex(/^[a-z]$/, 'expected one small letter, which is drawn on the bits')
const Align = z.int().min(0).max(10)

export const BitmapScenario = z.strictObject({
  kernel: z.enum(['4.6', '4.12.4', '6.1.192', '6.12.117']).default('6.12.117'),
  ram: z.int().min(64).max(4096).default(512),
  cma: z.int().min(4).max(256),
  align: Align.default(8),
  steps: z
    .array(
      z.union([
        z.strictObject({ alloc: Name, pages: z.int().positive(), align: Align.optional() }),
        z.strictObject({ release: Name }),
        z.strictObject({ hold: z.int().nonnegative() }),
        z.strictObject({ drop: z.int().nonnegative() }),
      ]),
    )
    .min(1),
})
