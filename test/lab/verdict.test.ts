// SPDX-License-Identifier: MIT
//
// A run is written down as the serial line would carry it, and judged. Each wrong run must be refused for its reason.
import { describe, expect, it } from 'vitest'
import type { LabBoot } from '../../code/lab/lab_schema.ts'
import { readTranscript } from '../../code/lab/transcript.ts'
import { compareCheck, type Ending, judge, wholeLogCheck } from '../../code/lab/verdict.ts'

const IOMEM = '40000000-7fffffff : System RAM\n'
const KTAP = 'KTAP version 1\n1..1\nok 1 one\n'

/** A piece as the guest hands it over. */
const piece = (kind: string, name: string, exit: number, text: string): string =>
  `@contig begin ${kind} ${name}\n${text.replace(/^(?=.)/gm, '|')}\n@contig end ${kind} ${name} exit ${exit} bytes ${Buffer.byteLength(text)}\n`

interface Told {
  steps?: readonly (readonly [number, string])[]
  dmesg?: string
  after?: string
  modules?: string
}

const serial = ({
  steps = [
    [0, ''],
    [0, KTAP],
  ],
  dmesg = '',
  after = IOMEM,
  modules = '',
}: Told): string =>
  [
    piece('text', 'iomem-before', 0, IOMEM),
    ...steps.map(
      ([exit, text], number) => `@contig step ${number}\n${piece('step', String(number), exit, text)}`,
    ),
    piece('text', 'dmesg', 0, dmesg),
    piece('text', 'iomem', 0, after),
    piece('text', 'modules', 0, modules),
    '@contig done\n',
  ].join('')

const KERNEL = { name: '6.1', series: '6.1' } as const
const boot: LabBoot = { name: 'b', steps: [{ load: 'm' }, { run: 'p' }] }
const ended: Ending = { timedOut: false, limit: 10, code: 0, flooded: false, lastLines: ['the last line'] }

const wrong = (text: string, of: LabBoot = boot, ending: Ending = ended): string[] =>
  judge(of, KERNEL, readTranscript(Buffer.from(text)), ending)
    .checks.filter((check) => !check.ok)
    .flatMap((check) => [check.name, ...check.lines])

describe('judge()', () => {
  it('passes a clean run', () => {
    expect(wrong(serial({}))).toEqual([])
  })

  it('passes a kernel message between the marks', () => {
    const text = serial({}).replace('ok 1 one\n', 'ok 1 one\n[    3.0] random: crng init done\n')
    expect(wrong(text)).toEqual([])
  })

  it('refuses a failed test, a failed step and a wrong exit code', () => {
    expect(
      wrong(
        serial({
          steps: [
            [0, ''],
            [0, KTAP.replace('ok', 'not ok')],
          ],
        }),
      ),
    ).toEqual(['run p', 'not ok 1 one'])
    expect(
      wrong(
        serial({
          steps: [
            [0, ''],
            [1, KTAP],
          ],
        }),
      ),
    ).toEqual(['run p', 'its tests passed, but it left with 1 instead of 0'])
    expect(wrong(serial({ steps: [[1, 'insmod: No such device\n']] }))).toEqual([
      'load m',
      'left with 1 instead of 0',
      '  insmod: No such device',
      'every step ran',
      'not run after what went wrong: run p',
    ])
  })

  it('refuses a torn line', () => {
    expect(wrong(serial({}).replace('|ok 1 one', '|ok 1 o'))).toEqual([
      'run p',
      'what it printed did not arrive whole on the serial line',
    ])
  })

  it.each([
    ['WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:1 free', 'the kernel found something that must not be'],
    ['BUG: Bad page state in process rmmod', 'the kernel found itself broken'],
    [
      'Unable to handle kernel paging request at virtual address 0',
      'the kernel touched an address that is not there',
    ],
    ['refcount_t: underflow; use-after-free.', 'a reference was dropped once too often, or never'],
    ['Trying to vfree() nonexistent vm area', 'something was freed that was not allocated'],
    ['DMA-API: device driver frees DMA memory with different size', 'the DMA API was used against its rules'],
  ])('refuses the kernel’s %s', (line, means) => {
    const dmesg = `[    1.0] Linux version\n[    2.0] contig: step 1\n[    3.0] ${line}\n`
    expect(wrong(serial({ dmesg }))).toEqual([
      'no warning in the kernel log',
      `${line}  (${means}; during “run p”)`,
    ])
    const allowing: LabBoot = { ...boot, expect: { log: { allow: [line] } } }
    expect(wrong(serial({ dmesg }), allowing)).toEqual([])
  })

  it('wants a log whose beginning is still there', () => {
    const looked = (dmesg: string, of: LabBoot = boot): boolean =>
      wholeLogCheck(of, readTranscript(Buffer.from(serial({ dmesg })))).ok
    const first = '[    0.0] Booting Linux on physical CPU 0x0000000000 [0x410fd034]\n'
    const began = '[    1.0] contig: began\n[    2.0] contig: step 0\n'
    expect(looked(first + began)).toBe(true)
    expect(looked('[    2.0] contig: step 0\n')).toBe(false)
    // Only a console that was loud until then has the lines before.
    expect(looked(began)).toBe(false)
    expect(looked(began, { ...boot, compare: 'model' })).toBe(true)
  })

  it('refuses what is left behind', () => {
    expect(wrong(serial({ modules: 'm 16384 0 - Live 0x0 (OE)\n' }))).toEqual([
      'nothing is left behind',
      'still loaded: m 16384 0 - Live 0x0 (OE)',
    ])
    expect(wrong(serial({ after: `${IOMEM}  70000000-7fffffff : m\n` }))).toEqual([
      'nothing is left behind',
      'left in /proc/iomem: 70000000-7fffffff : m',
    ])
  })

  it('looks for text, patterns, counts, and what must not be', () => {
    const dmesg = '[ 1.0] pool at 0xc0000000\n[ 2.0] pool at 0xc0000000\n'
    const log = (look: NonNullable<LabBoot['expect']>['log']): LabBoot => ({ ...boot, expect: { log: look } })
    expect(
      wrong(serial({ dmesg }), log({ must: ['0xc0000000', '/^pool at 0x[c]/', { text: 'pool', times: 2 }] })),
    ).toEqual([])
    expect(wrong(serial({ dmesg }), log({ must: [{ text: 'pool', times: 3 }, 'cma'] }))).toEqual([
      'the kernel log says what it should',
      '2 times instead of 3: pool',
      'missing: cma',
    ])
    expect(wrong(serial({ dmesg }), log({ mustNot: ['/0xc/'] }))[1]).toBe(
      'must not be there: pool at 0xc0000000',
    )
    expect(wrong(serial({ dmesg }), log({ must: [{ text: 'cma', kernels: ['6.12'] }] }))).toEqual([])
  })

  it('tells a board that hangs, panics, floods or leaves, with the last lines', () => {
    const cut = '@contig step 0\n'
    expect(wrong(cut, boot, { ...ended, timedOut: true })).toEqual([
      'the board ran to its end',
      'it did not end within 10 s, during “load m”; the last lines:',
      '  the last line',
      'load m',
      'did not end',
      'every step ran',
      'not run after what went wrong: run p',
    ])
    expect(wrong(`${cut}[ 3.0] Kernel panic - not syncing: x\n`)[1]).toBe(
      'the kernel stopped: Kernel panic - not syncing: x, during “load m”; the last lines:',
    )
    expect(wrong('', boot, { ...ended, flooded: true })[1]).toMatch(
      /^it printed without end and was stopped, before the first step/,
    )
    expect(wrong('', boot, { ...ended, code: 1 })[1]).toMatch(/^QEMU ended by itself \(exit 1\)/)
  })
})

describe('compareCheck()', () => {
  it('fails when nothing was compared', () => {
    expect(compareCheck({ compared: 0, different: [] }).ok).toBe(false)
    expect(compareCheck({ compared: 3, different: ['line 1'] }).ok).toBe(false)
    expect(compareCheck({ compared: 3, different: [] })).toMatchObject({
      ok: true,
      lines: ['3 lines compared, 0 different'],
    })
  })
})
