// SPDX-License-Identifier: MIT
//
// A lab is worth what it rejects. Each diff in wrong-drivers/ makes one realistic slip in a driver of ours; the lab must
// fail, and for that reason. What really happens, and how it was found out, stands at the head of each diff.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findLab } from '../../code/lab/lab_list.ts'
import { runLab } from '../../code/lab/run_lab.ts'
import { boardIsMissing } from '../support/board.ts'
import { root } from '../support/files.ts'

const FOLDER = 'test/kernel/wrong-drivers'

/** Diff → the lab that must reject it, and words that its failed checks must say. */
const WRONG: Record<string, { lab: string; because: readonly RegExp[] }> = {
  'no-bounds-check-in-mmap': { lab: 'reserved-coherent', because: [/past-end/, /across-end/, /offset-at-end/] },
  'release-before-free': { lab: 'reserved-coherent', because: [/Bad page state/, /no 524288 KiB/] },
  'size-off-by-one': { lab: 'reserved-coherent', because: [/last-page/, /whole-buffer/] },
  'private-mapping': { lab: 'reserved-coherent', because: [/private-refused/] },
  'unbind-allowed': { lab: 'reserved-coherent', because: [/no-unbind/] },
  'no-owner': { lab: 'reserved-coherent', because: [/the board ran to its end/, /__fput/] },
  'memremap-no-bounds-check': { lab: 'reserved-memremap', because: [/past-end/, /across-end/] },
  'memremap-size-off-by-one': { lab: 'reserved-memremap', because: [/region-size/, /iomem-owner/] },
  'memremap-region-not-released': { lab: 'reserved-memremap', because: [/another owner/] },
}

const missing = boardIsMissing()

describe('wrong drivers', () => {
  it('are each named here with a reason', () => {
    const diffs = readdirSync(join(root, FOLDER)).map((file) => file.replace(/\.patch$/, ''))
    expect(diffs.sort()).toEqual(Object.keys(WRONG).sort())
  })

  describe.skipIf(missing !== null)(`on a real kernel${missing ? ` (${missing})` : ''}`, () => {
    it.each(Object.entries(WRONG))('%s: the lab rejects it, for its reason', async (name, { lab, because }) => {
      const result = await runLab(findLab(root, lab), {
        kernels: ['6.12'],
        patches: [join(root, FOLDER, `${name}.patch`)],
        timeout: 90,
      })
      expect(result.verdict).toBe('failed')
      const [boot] = result.boots
      const failed = (boot?.checks ?? []).filter(({ ok }) => !ok).flatMap((check) => [check.name, ...check.lines])
      const said = [...failed, ...(boot?.dmesg ?? [])].join('\n')
      for (const words of because) expect(said).toMatch(words)
    })
  })
})
