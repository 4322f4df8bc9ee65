// SPDX-License-Identifier: MIT
//
// The scenario of a `page-map`: a board to boot, and how full its memory is.
//
//     gib: 64                   {gib} in the source below; a number that the prose may let drag
//     kernel: 6.12.117
//     cmdline: cma=0
//     busy: 40                  percent of the pages that are given out before a third of them is given back
//     dts: |
//       /dts-v1/; / { … reg = <0x0 0x40000000 ({gib} >> 2) (({gib} & 3) << 30)>; … };
import { z } from 'zod'

export const MapScenario = z.strictObject({
  gib: z.int().min(1).max(64),
  kernel: z.enum(['4.6', '4.12.4', '6.1.192', '6.12.117']).default('6.12.117'),
  cmdline: z.string().default(''),
  busy: z.int().min(0).max(90).default(0),
  dts: z.string(),
})
