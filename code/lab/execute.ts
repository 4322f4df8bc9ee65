// SPDX-License-Identifier: MIT
//
// Carries out the steps of a plan. A step that makes something runs in a temporary place and is skipped when the thing
// stands already; whatever goes wrong, the temporary place is cleared.
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Cache, folderComplaint } from './cache.ts'
import { type Command, CommandFailed, type Step } from './command.ts'
import { runGroup } from './process_group.ts'

/** What is told while a lab runs. */
export interface ProgressEvent {
  readonly title: string
  readonly state: 'start' | 'done' | 'cached' | 'failed' | 'note'
  readonly seconds: number
}
export type Progress = (event: ProgressEvent) => void

export interface Hands {
  readonly cache: Cache
  readonly signal: AbortSignal
  readonly progress: Progress
}

// What apt says of a mirror that is changing under it, or that did not answer this time.
const MIRROR_TROUBLE =
  /unexpected size|Hash Sum mismatch|Mirror sync in progress|File not found|404 +Not Found|5\d\d +\w|Undetermined Error/i
const RETRY_AFTER_S = [2, 5, 10, 20]

const sleep = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, seconds * 1000)
    signal.addEventListener('abort', abort, { once: true })
  })

type Exec = Extract<Command, { do: 'exec' }>

/** Runs one program; returns what it printed. @throws CommandFailed when it does not end with 0 within its limit */
export async function execute(
  command: Exec,
  signal: AbortSignal,
  onData?: (piece: Buffer) => boolean,
): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const { argv, cwd, stdin, stdout, into, limit } = command
    const exit = await runGroup(argv, {
      ...(cwd ? { cwd } : {}),
      ...(stdin ? { stdin } : {}),
      ...(stdout ? { stdout } : {}),
      ...(into ? { into } : {}),
      limit,
      signal,
      ...(onData ? { onData } : {}),
    })
    if (exit.code === 0 && !exit.timedOut) return exit.output
    const wait = RETRY_AFTER_S[attempt]
    if (command.retries !== 'mirror' || wait === undefined || !MIRROR_TROUBLE.test(exit.output)) {
      throw new CommandFailed(argv, exit.code, exit.timedOut, exit.output)
    }
    await sleep(wait, signal)
  }
}

// A command that tells of itself: when it begins, how far it is, and how long it took.
async function executeTold(command: Exec, signal: AbortSignal, progress: Progress): Promise<void> {
  const { tells, counts } = command
  if (tells === undefined) {
    await execute(command, signal)
    return
  }
  const began = performance.now()
  let lines = 0
  let told = 0
  const tell = (state: ProgressEvent['state']): void => {
    const title = counts ? `  ${tells}: ${lines} files` : `  ${tells}`
    progress({ title, state, seconds: (performance.now() - began) / 1000 })
  }
  tell('start')
  await execute(command, signal, (piece) => {
    for (const byte of piece) if (byte === 10) lines += 1
    if (counts && lines >= told + 20) {
      told = lines
      tell('start')
    }
    return true
  })
  tell('done')
}

async function act(command: Command, signal: AbortSignal, progress: Progress): Promise<void> {
  switch (command.do) {
    case 'exec':
      await executeTold(command, signal, progress)
      return
    case 'write':
      writeFileSync(command.path, command.text)
      if (command.executable) chmodSync(command.path, 0o755)
      return
    case 'copy':
      cpSync(command.from, command.to, { recursive: true })
      return
    case 'mkdir':
      mkdirSync(command.path, { recursive: true })
      return
    case 'remove':
      // Not at once: of a kernel's sources it takes a while, in which a Ctrl-C must be heard.
      await rm(command.path, { recursive: true, force: true })
      return
    case 'ask':
      throw new Error(`execute: ${command.variable} is for a dry run alone`)
  }
}

// Waits while other processes make the same thing; when they gave up, it is ours to make.
async function waitForMakers(step: Step, { cache, signal, progress }: Hands): Promise<void> {
  const { final = '' } = step.makes ?? {}
  const makers = cache.makers(final)
  if (makers.length === 0 || existsSync(final)) return
  progress({ title: `${step.title}: process ${makers[0]} is at it, waiting`, state: 'start', seconds: 0 })
  while (!existsSync(final) && cache.makers(final).length > 0) await sleep(1, signal)
}

/** Carries out one step and tells of it. */
export async function perform(step: Step, hands: Hands): Promise<void> {
  const { cache, signal, progress } = hands
  if (step.alone) await waitForMakers(step, hands)
  if (step.makes && existsSync(step.makes.final)) {
    progress({ title: step.title, state: 'cached', seconds: 0 })
    return
  }
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  progress({ title: step.title, state: 'start', seconds: 0 })
  try {
    if (step.makes) {
      mkdirSync(dirname(step.makes.final), { recursive: true })
      rmSync(step.makes.part, { recursive: true, force: true })
      mkdirSync(step.makes.part)
    }
    for (const command of step.commands) await act(command, signal, progress)
    if (step.makes) cache.settle(step.makes.part, step.makes.final)
    progress({ title: step.title, state: 'done', seconds: seconds() })
  } catch (error) {
    progress({ title: step.title, state: 'failed', seconds: seconds() })
    throw folderComplaint(cache.folder, error) ?? error
  } finally {
    if (step.makes) rmSync(step.makes.part, { recursive: true, force: true })
  }
}
