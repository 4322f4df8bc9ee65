// SPDX-License-Identifier: MIT
//
// Streaming DMA, model against kernel: thousands of calls by chance, with a device that really copies.
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { findLab } from '../../code/lab/lab_list.ts'
import { compareModel } from '../../code/lab/model_beside.ts'
import { compareStreaming } from '../../code/lab/model_streaming.ts'
import { runLab, type Observed } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'

const missing = boardIsMissing()

/** The same boot with one word of its calls changed. */
function altered(observed: Observed, from: RegExp, to: string): Observed {
  const text = gunzipSync(Buffer.from(observed.collected['streaming']!, 'base64')).toString('utf8')
  expect(text).toMatch(from)
  const streaming = gzipSync(text.replace(from, to)).toString('base64')
  return { ...observed, collected: { ...observed.collected, streaming } }
}

describe.skipIf(missing !== null)(`stream_dma_calls${missing ? ` (${missing})` : ''}`, () => {
  it.each(['6.1', '6.12'] as const)(
    'stream_dma_calls gets from Linux %s what the model says, MC-11.6: addresses, slots, errors, bytes',
    async (kernel) => {
      const seen: Observed[] = []
      const result = await runLab(findLab(root, 'stream-conformance'), {
        kernels: [kernel],
        compare: (observed) => {
          seen.push(observed)
          return compareModel(observed)
        },
      })
      const said = result.boots.flatMap(({ boot, checks }) =>
        checks.filter(({ ok }) => !ok).map(({ name, lines }) => `${boot}: ${name}: ${lines.join('; ')}`),
      )
      expect(said).toEqual([])
      expect(seen.map(({ boot }) => boot)).toEqual(['bounced', 'direct'])
      for (const observed of seen) expect(compareStreaming(observed).compared).toBeGreaterThan(2000)
      // A kernel that copied one byte too few, or bounced into another slot, would be noticed.
      const bounced = seen[0]!
      const byte = compareStreaming(altered(bounced, /(-> )[0-9a-f]{8}\n/, '$100000000\n'))
      expect(byte.different).toEqual([expect.stringMatching(/^call \d+: sum .* says 00000000; the model/)])
      const slot = compareStreaming(altered(bounced, /used 1\n/, 'used 9\n'))
      expect(slot.different).toEqual([expect.stringMatching(/says .*used 9; the model says .*used 1$/)])
    },
  )
})
