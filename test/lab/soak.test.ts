// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { KERNEL_NAMES } from '../../code/lab/kernels.ts'
import { readKtap } from '../../code/lab/ktap.ts'
import type { BootResult } from '../../code/lab/run_lab.ts'
import { guestSources } from '../../code/lab/guest_sources.ts'
import { SOAK_DEVICES, soakLab } from '../soak/soak_lab.ts'
import { soakResult, soakTable } from '../soak/soak_result.ts'
import { listPlanted } from '../support/planted.ts'

const options = { calls: 5000, seed: 7, times: 20, failures: false, timeout: 60 }

describe('soakLab()', () => {
  it.each(SOAK_DEVICES)('is a lab that can be run, on every kernel: $name', (device) => {
    for (const kernel of KERNEL_NAMES) {
      const { boots, kernels } = soakLab(device, { ...options, kernel })
      const steps = boots[0]!.steps!
      expect(kernels).toEqual([kernel])
      expect(steps.filter(({ run }) => run === 'fuzz').length).toBe(device.leaves ? 2 : 1)
      expect(steps.filter(({ load }) => load).length).toBe(steps.filter(({ unload }) => unload).length)
    }
  })

  it('asks the debug kernel at the end whether its checks are still awake', () => {
    const lab = soakLab(SOAK_DEVICES[0]!, { ...options, kernel: 'debug' })
    const shells = lab.boots[0]!.steps!.flatMap(({ shell }) => shell ?? []).slice(-3)
    expect(shells.join('\n')).toMatch(/lockdep_stats\n.*dma-api\/disabled\n.*kmemleak/)
  })
})

const REPORT = `KTAP version 1
1..2
# calls-made: cma_mem: seed 0x7
# calls-made: worker 0: 2500 calls, digest 00; the last was open
# calls-made: worker 1: 2400 calls, digest 01; the last was close
# calls-made: 12 children, 5 calls without memory
# calls-made: 3 times away
ok 1 calls-made
# outcomes: open: ok 10
# outcomes: mmap: ok 20, EINVAL 3, ENXIO 4
not ok 2 outcomes
`
const CYCLES =
  'KTAP version 1\n1..1\n# load-unload: cma_mem: 20 cycles\nok 1 load-unload # SKIP kmemleak looks\n'

describe('soakResult()', () => {
  const checks = [
    { name: 'run fuzz', ok: false, lines: ['not ok 2 outcomes'] },
    { name: 'no warning in the kernel log', ok: false, lines: ['BUG: KASAN: …'] },
    { name: 'kmemleak found nothing', ok: true, lines: [] },
  ]
  const ktap = [readKtap(REPORT), readKtap(CYCLES)]
  const boot = { ktap, checks, verdict: 'failed', seconds: 12.34, log: '/log' } as unknown as BootResult
  const result = soakResult('cma_mem', boot)

  it('adds up what the processes did, and separates the kernel’s reports from other failures', () => {
    expect(result).toMatchObject({
      ...{ seed: '0x7', calls: 4900, children: 12, injected: 5, away: 3, cycles: 20 },
      kinds: { open: { ok: 10, refused: 0 }, mmap: { ok: 20, refused: 7 } },
      reports: ['BUG: KASAN: …'],
    })
    expect(result.failures).toContain('  not ok 2 outcomes')
  })

  it('is a line of a table', () => {
    const [head, line] = soakTable([result]).split('\n')
    expect(head).toMatch(/^device +seed +calls +children +no memory +away +loads +reports +s +verdict$/)
    expect(line).toMatch(/^cma_mem +0x7 +4,900 +12 +5 +3 +20 +1 +12.3 +failed$/)
  })
})

describe('the planted mistakes', () => {
  it.each(listPlanted())('$name fits the sources as they are', ({ device, patch }) => {
    const lab = soakLab(device, { ...options, kernel: 'debug' })
    const { modules } = guestSources(lab, { patches: [patch] })
    expect(modules.filter(({ patched }) => patched !== null)).toHaveLength(1)
  })
})
