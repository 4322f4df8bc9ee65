// SPDX-License-Identifier: MIT
//
// Programs that never outlive us. Each one leads a process group of its own; a limit in seconds, an abort or our own end
// kills the whole group: first politely, two seconds later for good. Waiting is for the leader's exit, never for its
// pipes to close: a grandchild that holds a pipe open must not keep us.
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { createReadStream, createWriteStream, openSync, closeSync } from 'node:fs'
import { followFile } from './follow_file.ts'

const KILL_AFTER_MS = 2000
/** After an exit the pipes get this long to hand over what is still in them. */
const DRAIN_MS = 500
const KEEP_BYTES = 64 * 1024

export interface RunOptions {
  readonly cwd?: string
  readonly stdin?: string
  readonly stdout?: string
  readonly into?: readonly string[]
  /**
   * A file that both streams go to without passing through us: a program that prints byte by byte is not slowed by our
   * reading. It is made anew; nothing is kept of it in `output`.
   */
  readonly log?: string
  /** Seconds. */
  readonly limit: number
  readonly signal?: AbortSignal
  /** Every piece of output as it comes. Returning false kills the group. */
  readonly onData?: (piece: Buffer) => boolean
}

export interface Exit {
  readonly code: number | null
  readonly timedOut: boolean
  /** The last 64 KiB of both streams. */
  readonly output: string
  readonly seconds: number
}

const living = new Set<number>()

/** Kills a whole group; a group that is gone already is fine. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It left by itself.
  }
}

/** Kills at once everything that was started here and still lives. For a last resort such as our own exit. */
export function killAllGroups(): void {
  for (const pid of living) signalGroup(pid, 'SIGKILL')
}
process.on('exit', killAllGroups)

/** The groups that live now, by their leader's process id. */
export function livingGroups(): number[] {
  return [...living]
}

function start(
  argv: readonly string[],
  cwd: string | undefined,
  more: Readonly<Record<string, string>> = {},
  out: 'pipe' | number = 'pipe',
): ChildProcess {
  const [program, ...args] = argv
  const env = { ...process.env, LC_ALL: 'C', LANGUAGE: 'C', ...more }
  const stdio: StdioOptions = ['pipe', out, out]
  const child = spawn(program ?? '', args, { ...(cwd ? { cwd } : {}), env, detached: true, stdio })
  if (child.pid !== undefined) living.add(child.pid)
  child.stdin?.on('error', () => undefined)
  return child
}

/** Resolves with the exit code once the leader is gone; rejects when it could not be started. */
function left(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      if (child.pid !== undefined) {
        // Whoever of the group is still there has no business any more.
        signalGroup(child.pid, 'SIGKILL')
        living.delete(child.pid)
      }
      resolve(code)
    })
  })
}

/** A program that is talked with while it runs. */
export interface RunningGroup {
  readonly child: ChildProcess
  /** Resolves with its exit code, null after a signal; rejects when it could not be started. */
  readonly left: Promise<number | null>
}

/** Starts one program and leaves its three streams, and when to end it, to the caller. */
export function startGroup(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningGroup {
  const child = start(argv, undefined, env)
  return { child, left: left(child) }
}

/** Sends a signal to the whole group of a running program. */
export function endGroup({ child }: RunningGroup, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) signalGroup(child.pid, signal)
}

// To be asked for before the stream can close: the event comes once.
const closed = (stream: NodeJS.EventEmitter | null | undefined): Promise<void> =>
  new Promise((resolve) => (stream ? stream.once('close', () => resolve()) : resolve()))

const drained = (streams: readonly Promise<void>[]): Promise<unknown> =>
  Promise.race([Promise.all(streams), new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())])

/** Runs one program, or two joined by a pipe, until they end or the limit is reached. */
export async function runGroup(argv: readonly string[], options: RunOptions): Promise<Exit> {
  options.signal?.throwIfAborted()
  const began = performance.now()
  let kept = Buffer.alloc(0)
  let timedOut = false
  let killTimer: NodeJS.Timeout | undefined

  const log = options.log === undefined ? null : openSync(options.log, 'w')
  const first = start(argv, options.cwd, {}, log ?? 'pipe')
  if (log !== null) closeSync(log)
  const second = options.into ? start(options.into, options.cwd) : null
  const children = second ? [first, second] : [first]
  const stop = (): void => {
    if (killTimer) return
    for (const child of children) if (child.pid !== undefined) signalGroup(child.pid, 'SIGTERM')
    killTimer = setTimeout(() => {
      for (const child of children) if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
    }, KILL_AFTER_MS)
  }
  const take = (piece: Buffer): void => {
    kept = Buffer.concat([kept, piece])
    if (kept.length > 2 * KEEP_BYTES) kept = kept.subarray(-KEEP_BYTES)
    if (options.onData && !options.onData(piece)) stop()
  }

  if (options.stdin) createReadStream(options.stdin).pipe(first.stdin!)
  else first.stdin?.end()
  if (second) first.stdout?.pipe(second.stdin!)
  const last = second ?? first
  let file: ReturnType<typeof createWriteStream> | null = null
  const trouble: Error[] = []
  if (options.stdout) {
    file = createWriteStream(options.stdout)
    file.on('error', (error) => {
      trouble.push(error)
      stop()
    })
    last.stdout?.pipe(file)
  } else {
    last.stdout?.on('data', take)
  }
  for (const child of children) child.stderr?.on('data', take)

  const following =
    options.log === undefined
      ? null
      : followFile(options.log, (piece) => {
          if (options.onData?.(piece) === false) stop()
        })
  const streams = [closed(last.stderr), closed(file ?? last.stdout)]
  const timer = setTimeout(() => {
    timedOut = true
    stop()
  }, options.limit * 1000)
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    const codes = await Promise.all(children.map(left))
    await drained(streams)
    following?.readRest()
    if (trouble[0]) throw trouble[0]
    options.signal?.throwIfAborted()
    const code = codes.find((each) => each !== 0) ?? (codes.includes(null) ? null : 0)
    const output = kept.subarray(-KEEP_BYTES).toString('utf8')
    return { code, timedOut, output, seconds: (performance.now() - began) / 1000 }
  } finally {
    clearTimeout(timer)
    clearTimeout(killTimer)
    following?.close()
    options.signal?.removeEventListener('abort', stop)
  }
}
