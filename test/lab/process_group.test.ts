// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { livingGroups, runGroup } from '../../code/lab/process_group.ts'

const folder = mkdtempSync(join(tmpdir(), 'contiguous-group-'))
afterAll(() => rmSync(folder, { recursive: true }))

const sh = (script: string): string[] => ['sh', '-c', script]
// A zombie that nobody has collected yet is dead too.
const dead = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

describe('runGroup()', () => {
  it('gives the exit code and what was printed', async () => {
    const exit = await runGroup(sh('echo out; echo err >&2; exit 3'), { limit: 10 })
    expect(exit).toMatchObject({ code: 3, timedOut: false })
    expect(exit.output.split('\n').sort()).toEqual(['', 'err', 'out'])
  })

  it('joins two by a pipe, and fails with the first that fails', async () => {
    expect((await runGroup(['echo', 'one'], { into: ['tr', 'o', 'u'], limit: 10 })).output).toBe('une\n')
    expect((await runGroup(['false'], { into: ['cat'], limit: 10 })).code).toBe(1)
  })

  it('ends a program that ignores SIGTERM, and its children, within its limit', async () => {
    const began = performance.now()
    let child = 0
    const exit = await runGroup(sh('trap "" TERM; sleep 60 & echo $!; while :; do sleep 1; done'), {
      limit: 0.5,
      onData: (piece) => {
        child ||= Number(piece.toString())
        return true
      },
    })
    expect(exit.timedOut).toBe(true)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(child).toBeGreaterThan(0)
    await expect.poll(() => dead(child)).toBe(true)
  })

  it('ends a program that prints for ever, when it is told to', async () => {
    let bytes = 0
    const exit = await runGroup(['yes'], {
      limit: 30,
      onData: (piece) => {
        bytes += piece.length
        return bytes < 1_000_000
      },
    })
    expect(exit.timedOut).toBe(false)
    expect(exit.output.length).toBeLessThanOrEqual(64 * 1024)
  })

  it('does not wait for a grandchild that holds the pipe', async () => {
    const exit = await runGroup(sh('setsid sleep 3 & exit 0'), { limit: 30 })
    expect(exit.code).toBe(0)
    expect(exit.seconds).toBeLessThan(2.5)
  })

  it('kills everything on an abort, and says why', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('interrupted by SIGINT')), 200)
    await expect(runGroup(['sleep', '60'], { limit: 60, signal: controller.signal })).rejects.toThrow(
      'SIGINT',
    )
    expect(livingGroups()).toEqual([])
  })

  it('lets a program write its log by itself, and tells of every piece of it in order', async () => {
    const log = join(folder, 'log')
    let heard = ''
    const exit = await runGroup(
      sh('for n in 1 2 3; do echo out $n; echo err $n >&2; sleep 0.1; done; printf end'),
      {
        limit: 10,
        log,
        onData: (piece) => {
          heard += piece.toString()
          return true
        },
      },
    )
    expect(exit).toMatchObject({ code: 0, timedOut: false, output: '' })
    expect(heard).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nend')
    expect(readFileSync(log, 'utf8')).toBe(heard)
  })

  it('ends a program that floods its log, deaf to SIGTERM though it is', async () => {
    let bytes = 0
    const exit = await runGroup(sh('trap "" TERM; while :; do head -c 100000 /dev/zero; sleep 0.01; done'), {
      limit: 30,
      log: join(folder, 'flood'),
      onData: (piece) => {
        bytes += piece.length
        return bytes < 1_000_000
      },
    })
    expect(exit.timedOut).toBe(false)
    expect(exit.seconds).toBeLessThan(25)
    expect(livingGroups()).toEqual([])
  })

  it('rejects when there is no such program', async () => {
    await expect(runGroup(['no-such-program-here'], { limit: 1 })).rejects.toThrow(/ENOENT/)
  })
})
