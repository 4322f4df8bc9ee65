// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Cache, cacheFolder, contentKey, folderComplaint } from '../../code/lab/cache.ts'
import { CommandFailed, type Step } from '../../code/lab/command.ts'
import { perform } from '../../code/lab/execute.ts'
import { Complaint } from '../../code/lib/complaint.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-cache-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hands = (cache: Cache) => ({ cache, signal: new AbortController().signal, progress: () => undefined })

const making = (cache: Cache, name: string, argv: string[]): Step => {
  const final = cache.path('modules', name)
  const part = cache.part(final)
  const write = { do: 'write' as const, path: join(part, 'text'), text: name }
  return { title: name, makes: { final, part }, commands: [write, { do: 'exec', argv, limit: 5 }] }
}

describe('cacheFolder()', () => {
  it('is the one that was named, else in the user’s cache', () => {
    expect(cacheFolder({ CONTIG_CACHE: '/x', XDG_CACHE_HOME: '/y' })).toBe('/x')
    expect(cacheFolder({ XDG_CACHE_HOME: '/y' })).toBe('/y/contiguous')
    expect(cacheFolder({ XDG_CACHE_HOME: 'not/absolute' })).toMatch(/\/\.cache\/contiguous$/)
  })
})

describe('Cache', () => {
  it('complains of a folder that cannot be used, naming it and CONTIG_CACHE', () => {
    writeFileSync(join(folder, 'file'), '')
    for (const [path, why] of [
      [join(folder, 'file'), 'it is not a folder'],
      [join(folder, 'file', 'below'), 'a part of its path is not a folder'],
      ['/proc/contiguous', 'it cannot be created'],
    ] as const) {
      try {
        new Cache(path).open()
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(Complaint)
        expect((error as Complaint).message).toContain(`the cache folder ${path} cannot be used: ${why}`)
        expect((error as Complaint).next[0]).toContain('CONTIG_CACHE=')
        expect((error as Complaint).exitCode).toBe(1)
      }
    }
  })

  it('sweeps what a killed process of this host left, and nobody else’s', () => {
    mkdirSync(join(folder, 'swept/kernels'), { recursive: true })
    const gone = `a.part-${hostname()}+999999999+1`
    const alive = `b.part-${hostname()}+${process.pid}+1`
    const foreign = 'c.part-elsewhere+999999999+1'
    for (const name of [gone, alive, foreign]) mkdirSync(join(folder, 'swept/kernels', name))
    new Cache(join(folder, 'swept')).open()
    expect(readdirSync(join(folder, 'swept/kernels')).sort()).toEqual([alive, foreign])
  })
})

describe('folderComplaint()', () => {
  it('knows a full disk from a code, and from what a program said', () => {
    const full = Object.assign(new Error('x'), { code: 'ENOSPC' })
    expect(folderComplaint('/c', full)?.message).toBe(
      'the cache folder /c cannot be used: the disk is full (ENOSPC)',
    )
    const said = new CommandFailed(['dpkg'], 2, false, 'dpkg-deb: error: write: No space left on device')
    expect(folderComplaint('/c', said)?.message).toContain('the disk is full')
    expect(folderComplaint('/c', Object.assign(new Error('x'), { code: 'EROFS' }))?.message).toContain(
      'read-only',
    )
    expect(folderComplaint('/c', new Error('something else'))).toBeNull()
  })
})

describe('perform()', () => {
  it('makes a thing once, and leaves no temporary name', async () => {
    const cache = new Cache(join(folder, 'once'))
    cache.open()
    await perform(making(cache, 'one', ['true']), hands(cache))
    await perform(making(cache, 'one', ['false']), hands(cache))
    expect(readdirSync(cache.path('modules'))).toEqual(['one'])
    expect(readFileSync(cache.path('modules/one/text'), 'utf8')).toBe('one')
  })

  it('leaves nothing of a step that failed', async () => {
    const cache = new Cache(join(folder, 'failed'))
    cache.open()
    await expect(perform(making(cache, 'one', ['false']), hands(cache))).rejects.toThrow('false: left with 1')
    expect(readdirSync(cache.path('modules'))).toEqual([])
  })

  it('lets two make the same thing at once', async () => {
    const caches = [new Cache(join(folder, 'two'), 'a+1'), new Cache(join(folder, 'two'), 'b+2')]
    for (const cache of caches) cache.open()
    await Promise.all(caches.map((cache) => perform(making(cache, 'one', ['sleep', '0.2']), hands(cache))))
    expect(readdirSync(join(folder, 'two/modules'))).toEqual(['one'])
    expect(existsSync(join(folder, 'two/modules/one/text'))).toBe(true)
  })

  it('waits for another process that makes what takes long, and makes it itself when that one gives up', async () => {
    const cache = new Cache(join(folder, 'waits'))
    cache.open()
    mkdirSync(cache.path('modules'))
    const other = spawn('sleep', ['30'])
    const part = cache.path('modules', `one.part-${hostname()}+${other.pid}+1`)
    mkdirSync(part)
    const titles: string[] = []
    const told = { ...hands(cache), progress: ({ title }: { title: string }) => void titles.push(title) }
    const step = { ...making(cache, 'one', ['true']), alone: true } as const
    const waiting = perform(step, told)
    await expect.poll(() => titles).toEqual([`one: process ${other.pid} is at it, waiting`])
    expect(existsSync(cache.path('modules/one'))).toBe(false)
    other.kill('SIGKILL')
    await waiting
    expect(titles.slice(1)).toEqual(['one', 'one'])
    expect(readFileSync(cache.path('modules/one/text'), 'utf8')).toBe('one')
  })
})

describe('contentKey()', () => {
  it('differs with content and with where one piece ends', () => {
    expect(contentKey('a', 'b')).toMatch(/^[0-9a-f]{16}$/)
    expect(new Set([contentKey('a', 'b'), contentKey('ab'), contentKey('a', 'c')]).size).toBe(3)
  })

  it('needRoom() complains of a disk with too little room, naming the folder, and takes one with enough', () => {
    const folder = mkdtempSync(join(tmpdir(), 'contig-room-'))
    try {
      const cache = new Cache(folder)
      cache.needRoom(1)
      expect(() => cache.needRoom(2 ** 52)).toThrow(`the cache folder ${folder} has `)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
