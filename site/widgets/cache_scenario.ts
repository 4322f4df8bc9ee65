// SPDX-License-Identifier: MIT
//
// The scenario of `cache-lines`: a few lines of memory, four letters each, and who touches them in which order.
//
//     lines: 3
//     memory: aaaabbbbcccc           what RAM has at first; as long as the lines
//     coherent: false                whether the device looks into the cache
//     steps:
//       - { cpuWrites: AAAA, at: 0 }
//       - { cpuReads: 4, at: 4 }                     letters
//       - { deviceWrites: DDDDDD, at: 4 }
//       - { deviceReads: 4, at: 0 }
//       - { forDevice: FROM_DEVICE, at: 4, size: 6 } what dma_map_single() does to the cache
//       - { forCpu: FROM_DEVICE, at: 4, size: 6 }    what dma_unmap_single() does
//       - { prefetch: 4 }  - { evict: 0 }            what a cache does by itself
import { z } from 'zod'
import { DIRECTIONS, LETTERS } from './cache_frames.ts'

const Text = z.string().regex(/^[a-zA-Z0-9]+$/, 'expected letters and digits, one for each 16 bytes')
const at = z.int().min(0)
const size = z.int().min(1)
const Direction = z.enum(Object.keys(DIRECTIONS) as [keyof typeof DIRECTIONS])

export const CacheScenario = z
  .strictObject({
    lines: z.int().min(1).max(6),
    memory: Text,
    kernel: z.enum(['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117']).default('6.12.117'),
    coherent: z.boolean().default(false),
    steps: z
      .array(
        z.union([
          z.strictObject({ cpuWrites: Text, at }),
          z.strictObject({ cpuReads: size, at }),
          z.strictObject({ deviceWrites: Text, at }),
          z.strictObject({ deviceReads: size, at }),
          z.strictObject({ forDevice: Direction, at, size }),
          z.strictObject({ forCpu: Direction, at, size }),
          z.strictObject({ prefetch: at }),
          z.strictObject({ evict: at }),
        ]),
      )
      .min(1),
  })
  .refine(({ lines, memory }) => memory.length === lines * LETTERS, {
    message: `memory: expected ${LETTERS} letters for each line`,
  })
