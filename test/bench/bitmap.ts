// SPDX-License-Identifier: MIT
//
// The search of a CMA area's bitmap against its twin in C: 32,768 bits (128 MiB), most of them taken.
import {
  bitmap_clear,
  bitmap_find_next_zero_area_off,
  bitmap_set,
  bitmap_zalloc,
} from '../../code/lib/bitmap.ts'
import type { BenchRows } from './measure.ts'
import { againstTwin, type Turn, twinSequence, withTwin } from './twin.ts'

const BITS = 32_768
const OPERATIONS = 300_000
const SLOTS = 512

function requests(): Turn {
  const next = twinSequence()
  const map = bitmap_zalloc(BITS)
  const at = new Int32Array(SLOTS)
  const length = new Int32Array(SLOTS)
  let sum = 0
  const began = performance.now()
  for (let i = 0; i < OPERATIONS; i++) {
    const slot = next(SLOTS)
    if (length[slot]! > 0) {
      bitmap_clear(map, at[slot]!, length[slot]!)
      length[slot] = 0
    } else {
      const nr = 1 + next(next(8) > 0 ? 64 : 1024)
      const order = nr > 1 ? 32 - Math.clz32(nr - 1) : 0
      const index = bitmap_find_next_zero_area_off(map, BITS, 0, nr, (1 << Math.min(order, 8)) - 1, 0)
      if (index + nr > BITS) continue
      bitmap_set(map, index, nr)
      at[slot] = index
      length[slot] = nr
      sum = (sum * 31 + index) % 1000003
    }
  }
  return { ns: (performance.now() - began) * 1e6, sum }
}

export function bitmapBench(): BenchRows {
  return withTwin('bitmap', (run) => ({
    what: 'a range of a CMA area found or given back, against a twin in C at -O2',
    limit: 2,
    ...againstTwin(9, OPERATIONS, requests, () => run(BITS, OPERATIONS)),
  }))
}
