// SPDX-License-Identifier: MIT
//
// The scenario of `page-walk`: what the program has mapped, and the byte of it whose way is shown.
//
//     maps: coherent           a device's buffer; `memory`: anonymous pages, written to
//     pages: 2000
//     byte: 4205672            from the start of the mapping; a number that the prose may let drag
import { z } from 'zod'

export const WalkScenario = z.strictObject({
  maps: z.enum(['memory', 'coherent']),
  pages: z.int().min(1).max(4000),
  byte: z.int().min(0),
})
