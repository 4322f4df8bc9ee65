// SPDX-License-Identifier: MIT
//
// The cache folder, outside the checkout:
//
//     debian/<kernel>….json     which packages Debian has for a kernel, as its mirror said
//     kernels/<key>/            an unpacked kernel: boot/, usr/src (headers), usr/lib (kbuild); or one of our own building
//     sources/<key>/            the archive of Linux's sources that those are built from
//     busybox/<key>/            bin/busybox for the guest
//     modules/<key>/, programs/<key>/, initramfs/<key>/, trees/<key>/      what was built, under the hash of what it was built from
//     runs/<lab>-<kernel>-<boot>-<stamp>/      serial.log and device tree of each run; the newest 60 stay, and those of the last two hours
//
// A thing is made under a temporary name and appears by a rename: nobody ever sees half of it. Two processes may make
// the same thing at once; the first rename wins and the other's work is thrown away. A temporary name carries host and
// process id, so that what a killed process left behind is known and swept.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { homedir, hostname } from 'node:os'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { Complaint } from '../lib/complaint.ts'

const KEEP_RUNS = 60

// Longer than any boot may last: a run's folder is not taken from under it.
const KEEP_MS = 2 * 60 * 60_000

/** `$CONTIG_CACHE`, else `$XDG_CACHE_HOME/contiguous`, else `~/.cache/contiguous`. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env['CONTIG_CACHE']) return resolve(env['CONTIG_CACHE'])
  const xdg = env['XDG_CACHE_HOME']
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'contiguous')
}

const FOLDER_TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your disk quota is used up',
  EROFS: 'it is on a read-only file system',
  EACCES: 'you may not write there',
  EPERM: 'nothing can be written there',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'it is not a folder',
  ENOENT: 'it cannot be created',
}

// Once the folder stood, only these still speak of it; a missing file is then about something else.
const WHILE_WORKING = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES']

/** The complaint about a folder that cannot be written; null when `error` is about something else. */
export function folderComplaint(
  folder: string,
  error: unknown,
  when: 'opening' | 'working' = 'working',
): Complaint | null {
  // An exit code is a number, and no errno.
  const given = (error as { code?: unknown } | null)?.code
  let code = typeof given === 'string' ? given : undefined
  if (when === 'working' && code !== undefined && !WHILE_WORKING.includes(code)) return null
  const text = error instanceof Error && 'output' in error ? String(error.output) : ''
  if (/No space left on device/.test(text)) code = 'ENOSPC'
  if (/Read-only file system/.test(text)) code = 'EROFS'
  const trouble = code === undefined ? undefined : FOLDER_TROUBLE[code]
  if (!trouble) return null
  return new Complaint({
    text: `the cache folder ${folder} cannot be used: ${trouble} (${code})`,
    next: ['make room or mend it, or name another folder: CONTIG_CACHE=/some/folder contig …'],
  })
}

/** The first 16 hex digits of the SHA-256 of these pieces, each ended by a line break. */
export function contentKey(...pieces: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece).update('\n')
  return hash.digest('hex').slice(0, 16)
}

const mine = `${hostname()}+${process.pid}`

export class Cache {
  readonly folder: string
  private readonly owner: string
  private counter = 0

  /**
   * @param folder - absolute; created when it is absent
   * @param owner - stands in temporary names; a dry run's are by hand
   */
  constructor(folder: string = cacheFolder(), owner: string = mine) {
    this.folder = folder
    this.owner = owner
  }

  /** Creates the folder and writes a byte into it, so that trouble is told before any work. */
  open(): void {
    try {
      makeFolder(this.folder)
      const probe = join(this.folder, `probe.part-${this.owner}`)
      writeFileSync(probe, 'x')
      rmSync(probe)
    } catch (error) {
      throw folderComplaint(this.folder, error, 'opening') ?? error
    }
    this.sweep()
  }

  /** @throws Complaint (1) when `bytes` more do not fit: apt, on a full disk, waits for minutes and says nothing. */
  needRoom(bytes: number, what = 'fetching a kernel'): void {
    const { bavail, bsize } = statfsSync(this.folder)
    if (bavail * bsize >= bytes) return
    const mib = (size: number): number => Math.floor(size / 1024 / 1024)
    throw new Complaint({
      text: `the cache folder ${this.folder} has ${mib(bavail * bsize)} MiB free; ${what} needs ${mib(bytes)} MiB`,
      next: ['make room, or name another folder: CONTIG_CACHE=/some/folder contig …'],
    })
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** The temporary name under which `final` is made by this process. */
  part(final: string): string {
    this.counter += 1
    return `${final}.part-${this.owner}+${this.counter}`
  }

  /** Writes a small file at once or not at all. */
  writeWhole(path: string, text: string): void {
    const part = this.part(path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(part, text)
    renameSync(part, path)
  }

  /** Gives `part` its final name. When someone else was quicker, theirs stays and ours goes. */
  settle(part: string, final: string): void {
    try {
      renameSync(part, final)
    } catch (error) {
      if (!existsSync(final)) throw error
      rmSync(part, { recursive: true, force: true })
    }
  }

  /** Processes of this host, other than this one, that are making `final`. */
  makers(final: string): number[] {
    if (!existsSync(dirname(final))) return []
    return readdirSync(dirname(final))
      .filter((name) => name.startsWith(`${basename(final)}.part-`) && !abandoned(name))
      .flatMap((name) => partOf(name) ?? [])
      .filter((pid) => pid !== process.pid)
  }

  // Throws away what processes of this host left behind when they were killed, and all but the newest runs.
  private sweep(): void {
    for (const kind of [
      '.',
      'kernels',
      'sources',
      'busybox',
      'modules',
      'programs',
      'initramfs',
      'trees',
      'debian',
      'bench',
      'runs',
    ]) {
      const folder = this.path(kind)
      if (!existsSync(folder)) continue
      for (const name of readdirSync(folder)) if (abandoned(name)) this.remove(join(folder, name))
    }
    if (!existsSync(this.path('runs'))) return
    const runs = readdirSync(this.path('runs')).map((name) => this.path('runs', name))
    const old = runs.map((run) => ({ run, at: modified(run) })).sort((a, b) => b.at - a.at)
    for (const { run, at } of old.slice(KEEP_RUNS)) if (Date.now() - at > KEEP_MS) this.remove(run)
  }

  private remove(path: string): void {
    rmSync(path, { recursive: true, force: true })
  }
}

// Not mkdirSync's `recursive`: where a file system refuses a name with ENOENT, as /proc does, Node 20 tries for ever.
function makeFolder(path: string, whenFile = 'EEXIST'): void {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return
    throw Object.assign(new Error(`${path} is not a folder`), { code: whenFile })
  }
  if (dirname(path) !== path) makeFolder(dirname(path), 'ENOTDIR')
  try {
    mkdirSync(path)
  } catch (error) {
    // Somebody else may have made it just now.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function modified(path: string): number {
  try {
    return statSync(path).mtimeMs
  } catch {
    return 0 // Another process swept it between our two looks.
  }
}

/** The process of this host that a temporary name belongs to; null for any other name. */
function partOf(name: string): number | null {
  const match = /\.part-([^+]+)\+(\d+)(?:\+\d+)?$/.exec(basename(name))
  return match?.[1] === hostname() ? Number(match[2]) : null
}

/** Whether a name is a temporary one whose process, on this host, is gone. */
export function abandoned(name: string): boolean {
  const pid = partOf(name)
  if (pid === null) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
