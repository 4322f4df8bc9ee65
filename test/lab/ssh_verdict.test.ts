// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import type { LabBoot } from '../../code/lab/lab_schema.ts'
import { boardLog, judgeBoard } from '../../code/lab/ssh_verdict.ts'

const BOOT = [
  '[    0.000000] Booting Linux on physical CPU 0x0',
  '[    0.000000] Reserved memory: created DMA memory pool at 0xc0000000, size 512 MiB',
  '[    1.000000] Run /sbin/init as init process',
]
// An earlier run, whose lines must not count for this one.
const BEFORE = [
  '[   10.000000] contig: run aaaa begins',
  '[   11.000000] mine: here',
  '[   12.000000] contig: run aaaa ends',
]
const MARK = '[  100.000000] contig: run bbbb begins'
const kernel = { name: '6.12', series: '6.12' } as const

function handed(dmesg: string[], end = '@contig done\n'): Uint8Array {
  const text = `${dmesg.join('\n')}\n`
  const texts = [
    ['iomem-before', ''],
    ['dmesg', text],
    ['iomem', ''],
    ['modules', ''],
  ]
  const pieces = texts.map(([name = '', body = '']) => {
    const lines =
      body === ''
        ? ''
        : body
            .trimEnd()
            .split('\n')
            .map((line) => `|${line}\n`)
            .join('')
    return `@contig begin text ${name}\n${lines}\n@contig end text ${name} exit 0 bytes ${body.length}\n`
  })
  const step = '@contig step 0\n@contig begin step 0\n\n@contig end step 0 exit 0 bytes 0\n'
  return new TextEncoder().encode(step + pieces.join('') + end)
}

const boot = (must: string[], mustNot: string[] = []): LabBoot => ({
  name: 'only',
  steps: [{ shell: 'true' }],
  expect: { log: { must, mustNot } },
})
const fine = { end: 'itself', limit: 10, cleaned: true, left: [], notes: [] } as const

function wrong(
  asks: LabBoot,
  dmesg: string[],
  ending: Parameters<typeof judgeBoard>[4] = fine,
  end?: string,
): string[] {
  const { checks } = judgeBoard(asks, kernel, handed(dmesg, end), 'bbbb', ending)
  return checks.filter(({ ok }) => !ok).flatMap(({ name, lines }) => [name, ...lines])
}

describe('boardLog()', () => {
  it('takes the boot’s lines and those since the run’s own mark', () => {
    const log = boardLog([...BOOT, ...BEFORE, MARK, '[  101.000000] mine: here'].join('\n'), 'bbbb')
    expect(log.boot).toEqual([
      'Booting Linux on physical CPU 0x0',
      'Reserved memory: created DMA memory pool at 0xc0000000, size 512 MiB',
    ])
    expect(log.since).toBe('[  101.000000] mine: here')
  })

  it('says so when the log no longer has them', () => {
    expect(boardLog(BEFORE.join('\n'), 'bbbb')).toEqual({ boot: null, since: null })
  })
})

describe('judgeBoard()', () => {
  it('finds a line of the kernel’s boot before the run, and a module’s line only since', () => {
    const asks = boot(['created DMA memory pool', 'mine: here'])
    expect(wrong(asks, [...BOOT, ...BEFORE, MARK, '[  101.000000] mine: here'])).toEqual([])
    expect(wrong(asks, [...BOOT, ...BEFORE, MARK])).toEqual([
      'the kernel log says what it should',
      'missing: mine: here',
    ])
  })

  it('does not blame a run for what was logged before it, and does for what came since', () => {
    const asks = boot([], ['bad'])
    const before = [...BOOT, '[   20.000000] bad: WARNING: CPU: 0', MARK]
    expect(wrong(asks, before)).toEqual([])
    expect(wrong(asks, [...before, '[  101.000000] WARNING: CPU: 1 bad'])).toEqual([
      'no warning in the kernel log',
      expect.stringMatching(/^WARNING: CPU: 1 bad {2}\(/),
      'the kernel log says what it should',
      'must not be there: WARNING: CPU: 1 bad',
    ])
  })

  it('tells that a log no longer reaches back to the boot', () => {
    expect(wrong(boot(['created DMA memory pool']), [...BEFORE, MARK])).toEqual([
      'the kernel log says what it should',
      'missing: created DMA memory pool',
      'the board’s log does not reach back to its boot any more; after a reboot it does',
    ])
  })

  it('does not pass a run whose own lines were overwritten', () => {
    expect(wrong(boot([]), BOOT)).toContain('the kernel log is whole')
  })

  it('does not pass a board that could not be cleaned', () => {
    expect(wrong(boot([]), [...BOOT, MARK], { ...fine, left: ['module mine'] })).toEqual([
      'the board is as it was found',
      'module mine could not be removed',
    ])
    expect(wrong(boot([]), [...BOOT, MARK], { ...fine, cleaned: false })).toContain('nobody saw it clean up')
  })

  it('tells of a connection that was lost, and during which step', () => {
    expect(wrong(boot([]), [...BOOT, MARK], { ...fine, end: 'lost', cleaned: false }, '')).toEqual([
      'the board ran to its end',
      'the connection was lost, during “true”',
      'a board that is still up cleans up by itself; one that crashed tells why on its serial console',
      'the board is as it was found',
      'nobody saw it clean up',
    ])
  })
})
