// SPDX-License-Identifier: MIT
//
// One connection to a board, by OpenSSH's client with the user's own configuration, agent and known hosts. A first
// client holds the connection and a control socket; everything else goes through that socket:
//
//     ssh -M -S /tmp/contig-…/s board 'exec … cat'    holds it, and echoes what it is sent: so we know that it stands
//     ssh -S /tmp/contig-…/s board COMMAND            one for each command
//
// Nothing is asked (BatchMode), and nothing of the user's caution is switched off: a host key that is unknown or has
// changed ends the attempt. When we die, the first client's standard input ends, so `cat` ends, so the connection does;
// a small shell around the client then removes the socket's folder.
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { endGroup, type RunningGroup, startGroup } from './process_group.ts'
import { type SshAddress, addressText, addressWords } from './ssh_address.ts'
import { sshComplaint } from './ssh_trouble.ts'

/** A path of a Unix socket has 108 bytes, and ssh puts 17 behind it while it makes one. */
const SOCKET_PATH_BYTES = 108 - 17 - 1

/** An unanswered connection is given up after three of these, in seconds. */
const ALIVE_S = 3
const ALIVE_COUNT = 3

/** Beyond ssh's own limit for connecting: jump hosts and slow boards' shells take their time too. */
const SETTLE_S = 20

const KEEP_BYTES = 64 * 1024

export interface SshOptions {
  /** An SSH configuration file in the place of the user's own (`ssh -F`). */
  readonly config?: string | null
  /** Seconds to connect within. */
  readonly connectLimit?: number
}

/** What a command on the board gave back. */
export interface Said {
  readonly code: number | null
  readonly stdout: Buffer
  /** The last 64 KiB. */
  readonly stderr: string
}

// A private folder with a name short enough for a socket in it.
function socketFolder(): string {
  const parents = [process.env['XDG_RUNTIME_DIR'], tmpdir(), '/tmp']
  for (const parent of parents) {
    if (!parent || Buffer.byteLength(join(parent, 'contig-XXXXXX/s')) > SOCKET_PATH_BYTES) continue
    try {
      const folder = mkdtempSync(join(parent, 'contig-'))
      chmodSync(folder, 0o700)
      return folder
    } catch {
      // Not there, or not ours to write to: the next one.
    }
  }
  throw new Complaint({
    text: 'no folder for the connection’s socket: neither $XDG_RUNTIME_DIR nor /tmp can be written',
  })
}

// Signals end the client, never this shell, which is there to remove the folder when the client is gone.
const HOLDER = `trap : HUP INT TERM
folder=$1
shift
"$@"
code=$?
rm -rf "$folder"
exit "$code"
`

/** A connection to a board. */
export class SshConnection {
  readonly address: SshAddress
  readonly config: string | null
  /** Names this connection in the environment of its own process on the board. */
  readonly mark = randomBytes(8).toString('hex')
  private readonly folder: string
  private readonly master: RunningGroup
  private stderr = ''
  private gone = false

  private constructor(address: SshAddress, options: SshOptions) {
    this.address = address
    this.config = options.config ?? null
    this.folder = socketFolder()
    const settings = [
      ...['BatchMode=yes', `ConnectTimeout=${options.connectLimit ?? 15}`, 'ConnectionAttempts=1'],
      ...[`ServerAliveInterval=${ALIVE_S}`, `ServerAliveCountMax=${ALIVE_COUNT}`, 'ControlPersist=no'],
      // What a configuration may do for a person at a terminal would only be in the way here.
      ...['ClearAllForwardings=yes', 'RemoteCommand=none', 'RequestTTY=no', 'PermitLocalCommand=no'],
      'LogLevel=INFO',
    ]
    this.master = startGroup(
      [
        ...['sh', '-c', HOLDER, 'contig', this.folder],
        ...['ssh', ...(this.config ? ['-F', this.config] : []), '-M', '-S', this.socket, '-T'],
        ...settings.flatMap((each) => ['-o', each]),
        ...addressWords(address),
        `exec env CONTIG_LINK=${this.mark} cat`,
      ],
      // With a terminal or a display, ssh's helpers would find somebody to ask after all.
      { SSH_ASKPASS_REQUIRE: 'never' },
    )
    this.master.child.stderr?.on('data', (piece: Buffer) => {
      this.stderr = (this.stderr + piece.toString('utf8')).slice(-KEEP_BYTES)
    })
    void this.master.left.then(
      () => (this.gone = true),
      () => (this.gone = true),
    )
  }

  private get socket(): string {
    return join(this.folder, 's')
  }

  /** False once the connection is gone. */
  get alive(): boolean {
    return !this.gone
  }

  /** What the holding client said last, for a message. */
  get lastWords(): string {
    return this.stderr
  }

  /** Connects. @throws Complaint (4) telling why it cannot, and what to do */
  static async open(address: SshAddress, options: SshOptions, signal: AbortSignal): Promise<SshConnection> {
    signal.throwIfAborted()
    const connection = new SshConnection(address, options)
    try {
      await connection.established((options.connectLimit ?? 15) + SETTLE_S, signal)
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  // The echo of a word that nobody else would print tells that the connection stands.
  private async established(limit: number, signal: AbortSignal): Promise<void> {
    const { child, left } = this.master
    const word = `contig-${process.pid}-${Math.floor(performance.now())}`
    let said = ''
    const timers: NodeJS.Timeout[] = []
    let onAbort: (() => void) | undefined
    const waits: Promise<'up' | 'left' | 'late'>[] = [
      new Promise((resolve) =>
        child.stdout?.on('data', (piece: Buffer) => {
          if (said.length < KEEP_BYTES) said += piece.toString('latin1')
          if (said.includes(word)) resolve('up')
        }),
      ),
      left.then(() => 'left'),
      new Promise((resolve) => timers.push(setTimeout(() => resolve('late'), limit * 1000))),
      new Promise((_, reject) => {
        onAbort = () => reject(signal.reason as Error)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
    ]
    child.stdin?.write(`${word}\n`)
    try {
      const how = await Promise.race(waits)
      if (how === 'up') return
      // The last of what ssh said may still be on its way.
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw sshComplaint(
        this.address,
        this.config,
        how === 'late' ? 'timed out in silence' : this.stderr + said,
      )
    } finally {
      timers.forEach(clearTimeout)
      if (onAbort) signal.removeEventListener('abort', onAbort)
    }
  }

  /** Starts a command on the board; its streams are the caller's. */
  start(command: string): RunningGroup {
    return startGroup([
      // Through the socket or not at all: without it, ssh would make a connection of its own.
      ...['ssh', '-F', '/dev/null', '-S', this.socket, '-T'],
      ...['ControlMaster=no', 'BatchMode=yes', 'ProxyCommand=false', 'LogLevel=ERROR'].flatMap((each) => [
        '-o',
        each,
      ]),
      ...['--', this.address.host, command],
    ])
  }

  /**
   * Runs a command on the board to its end.
   * @param limit - seconds
   * @throws Complaint (1) when the connection was lost or the limit reached; a command that fails is no exception
   */
  async run(
    command: string,
    what: { input?: string | Uint8Array; limit: number; signal: AbortSignal; keep?: number },
  ): Promise<Said> {
    what.signal.throwIfAborted()
    const running = this.start(command)
    const { child, left } = running
    const pieces: Buffer[] = []
    let bytes = 0
    let stderr = ''
    let late = false
    const stop = (): void => endGroup(running, 'SIGKILL')
    child.stdout?.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= (what.keep ?? 8 * 1024 * 1024)) pieces.push(piece)
    })
    child.stderr?.on(
      'data',
      (piece: Buffer) => (stderr = (stderr + piece.toString('utf8')).slice(-KEEP_BYTES)),
    )
    const ended = Promise.all([child.stdout, child.stderr].map((stream) => streamEnd(stream)))
    const timer = setTimeout(() => {
      late = true
      stop()
    }, what.limit * 1000)
    what.signal.addEventListener('abort', stop, { once: true })
    try {
      child.stdin?.end(what.input ?? '')
      const code = await left
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500).unref())])
      what.signal.throwIfAborted()
      const where = addressText(this.address)
      if (late) throw new Complaint({ text: `${where}: the board did not answer within ${what.limit} s` })
      // 255 is ssh's own; a command of ours never leaves with it.
      if (code === 255 || code === null) throw this.lost()
      return { code, stdout: Buffer.concat(pieces), stderr }
    } finally {
      clearTimeout(timer)
      what.signal.removeEventListener('abort', stop)
    }
  }

  /** The complaint about a connection that broke. */
  lost(): Complaint {
    const said = this.stderr
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /timeout|timed out|reset|closed|broken|not responding/i.test(line))
      .slice(-2)
    return new Complaint({
      text: [
        `${addressText(this.address)}: the connection was lost`,
        ...said.map((line) => `  ssh: ${line}`),
      ].join('\n'),
      next: [
        'the board cleans up by itself once it hears nothing more; look whether it still runs, then run the same again',
      ],
    })
  }

  /** Ends the connection and removes its socket. Never fails. */
  async close(hurried = false): Promise<void> {
    if (!this.gone) {
      this.master.child.stdin?.end()
      const ended = this.master.left.then(
        () => undefined,
        () => undefined,
      )
      const patience = new Promise<void>((resolve) => setTimeout(resolve, hurried ? 100 : 1000))
      await Promise.race([ended, patience])
      if (!this.gone) endGroup(this.master, 'SIGKILL')
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const streamEnd = (stream: NodeJS.EventEmitter | null): Promise<void> =>
  new Promise((resolve) => (stream ? stream.once('close', () => resolve()) : resolve()))
