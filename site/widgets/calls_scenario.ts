// SPDX-License-Identifier: MIT
//
// The scenario of `calls-over-time`: how large a buffer, and the calls in their order. `munmap` cuts the middle page out.
//
//     pages: 5
//     calls: [ALLOCATE, mmap, munmap, fork, FREE, exit, rmmod, exit child, rmmod]
import { z } from 'zod'
import { CALLS } from './calls_frames.ts'

export const CallsScenario = z.strictObject({
  pages: z.int().min(1).max(12),
  calls: z.array(z.enum(CALLS)).min(1).max(12),
})
