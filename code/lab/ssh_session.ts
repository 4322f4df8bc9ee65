// SPDX-License-Identifier: MIT
//
// One run of the board's script (ssh_board_script.ts), from its start to the moment when the board is as it was. It is
// stopped politely, so that the board cleans up while we can still see it; whoever cannot wait goes, and the board
// notices by itself.
import { closeSync, openSync, writeSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import { endGroup, type RunningGroup } from './process_group.ts'
import { type BoardRun, boardCommand, boardScript } from './ssh_board_script.ts'
import type { SshConnection } from './ssh_connection.ts'

const BEAT_MS = 1000

/** Seconds for the script to come up, a slow board's shell included. */
const START_LIMIT_S = 30

/** Seconds that cleaning up may take while we look on. */
const CLEAN_LIMIT_S = 15
/** The same when somebody pressed Ctrl-C: what is left of the two seconds that this may take. */
const HURRIED_S = 1.2

/** A log longer than this is a board that prints without end. */
const LOG_BYTES = 16 * 1024 * 1024

/** Why a session ended, beside by itself. */
export type SessionEnd = 'itself' | 'lost' | 'late' | 'flood'

export class BoardSession {
  private readonly connection: SshConnection
  private readonly running: RunningGroup
  private readonly file: number
  private readonly beat: NodeJS.Timeout
  private readonly exited: Promise<number | null>
  private readonly onMark: (words: readonly string[]) => void
  private readonly noPlace: string[] = []
  private tail = ''
  private bytes = 0
  private stderr = ''
  private place: string | null = null
  private isGone = false
  private exitCode: number | null = null
  private flooded = false
  private wakers: (() => void)[] = []
  /** What the board could not undo, as it said it. */
  readonly left: string[] = []
  cleaned = false

  /** @param log - the file that everything the board hands over goes to */
  constructor(
    connection: SshConnection,
    run: BoardRun,
    what: { sudo: boolean; log: string; onMark: (words: readonly string[]) => void },
  ) {
    this.connection = connection
    this.onMark = what.onMark
    this.file = openSync(what.log, 'w')
    const script = boardScript(run)
    this.running = connection.start(boardCommand(script, run, what.sudo))
    const { child } = this.running
    child.stdout?.on('data', (piece: Buffer) => this.take(piece))
    child.stderr?.on(
      'data',
      (piece: Buffer) => (this.stderr = (this.stderr + piece.toString('utf8')).slice(-16384)),
    )
    const drained = new Promise<void>((resolve) => child.stdout?.once('close', () => resolve()))
    this.exited = this.running.left
      .then(async (code) => {
        await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 500).unref())])
        return code
      })
      .catch(() => null)
    void this.exited.then((code) => {
      this.isGone = true
      this.exitCode = code
      this.wake()
    })
    child.stdin?.write(script)
    let count = 0
    this.beat = setInterval(() => child.stdin?.write(`beat ${++count}\n`), BEAT_MS)
  }

  private wake(): void {
    for (const waker of this.wakers.splice(0)) waker()
  }

  private take(piece: Buffer): void {
    this.bytes += piece.length
    if (this.bytes > LOG_BYTES) {
      this.flooded = true
      this.wake()
      return
    }
    writeSync(this.file, piece)
    const lines = (this.tail + piece.toString('latin1')).split('\n')
    this.tail = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('@contig ')) this.mark(line.trimEnd().split(' ').slice(1))
  }

  private mark(words: readonly string[]): void {
    const [verb, ...rest] = words
    if (verb === 'place') this.place = rest[0] ?? null
    else if (verb === 'no-place') this.noPlace.push(rest.join(' '))
    else if (verb === 'left') this.left.push(rest.join(' '))
    else if (verb === 'cleaned') this.cleaned = true
    else this.onMark(words)
    this.wake()
  }

  // Waits until `when` holds, the session is gone, or the time is up; says whether `when` held.
  private async until(when: () => boolean, seconds: number, signal?: AbortSignal): Promise<boolean> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.wake()
    }, seconds * 1000)
    const onAbort = (): void => this.wake()
    signal?.addEventListener('abort', onAbort)
    try {
      while (!when() && !this.isGone && !late && !signal?.aborted)
        await new Promise<void>((resolve) => this.wakers.push(resolve))
      return when()
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The private folder there. @throws Complaint (4) when the board has no place for one */
  async folder(signal: AbortSignal): Promise<string> {
    await this.until(() => this.place !== null, START_LIMIT_S, signal)
    signal.throwIfAborted()
    if (this.place !== null) return this.place
    if (this.noPlace.length > 0)
      throw new Complaint({
        text: ['the board has no folder for a lab’s files:', ...this.noPlace.map((line) => `  ${line}`)].join(
          '\n',
        ),
        exitCode: 4,
        next: [
          'make room in one of them, or mount one that may be written and run from: mount -t tmpfs -o mode=1777 tmpfs /tmp',
        ],
      })
    // 255 is ssh's own.
    if (!this.connection.alive || this.exitCode === 255) throw this.connection.lost()
    const said = this.stderr.split('\n').filter((line) => line.trim() !== '')
    throw new Complaint({
      text: ['the board did not start our script', ...said.slice(-4).map((line) => `  board: ${line}`)].join(
        '\n',
      ),
      exitCode: 4,
    })
  }

  /** Lets the steps run, and waits for their end; `limit` in seconds. */
  async go(limit: number, signal: AbortSignal): Promise<SessionEnd> {
    this.running.child.stdin?.write('go\n')
    const ended = await this.until(() => this.flooded || this.cleaned, limit, signal)
    signal.throwIfAborted()
    if (this.flooded) return 'flood'
    if (ended) return 'itself'
    return this.isGone ? 'lost' : 'late'
  }

  /** Ends the session, whatever it is at: the board cleans up, and we look on as long as we may. Never fails. */
  async end(hurried: boolean): Promise<void> {
    if (!this.isGone && !this.cleaned) {
      this.running.child.stdin?.write('stop\n')
      await this.until(() => this.cleaned, hurried ? HURRIED_S : CLEAN_LIMIT_S)
    }
    clearInterval(this.beat)
    this.running.child.stdin?.end()
    // What it says behind its last word, `done`.
    await this.until(() => false, hurried ? 0.1 : 2)
    endGroup(this.running, 'SIGKILL')
    await this.exited
    closeSync(this.file)
  }
}
