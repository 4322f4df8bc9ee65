// SPDX-License-Identifier: MIT
//
// A run on a real board, judged as any other (verdict.ts), after two things that only a board has: a kernel log that
// began long ago, and a connection that may break.
import { stepWords } from './guest_init.ts'
import { readDmesg } from './kernel_log.ts'
import type { KernelTag } from './kernels.ts'
import type { LabBoot } from './lab_schema.ts'
import type { SessionEnd } from './ssh_session.ts'
import { readTranscript, type Transcript } from './transcript.ts'
import { type Check, judge, type Judged, lookThrough } from './verdict.ts'

/** What the board's kernel log says of its boot, and since the run began. */
export interface BoardLog {
  /** What the kernel said before its first program ran; null when its log reaches back no more. */
  readonly boot: readonly string[] | null
  /** As `dmesg` printed it; null when the run's own mark is lost too. */
  readonly since: string | null
}

/** Takes the board's whole log apart. `id` is the run's, as its mark has it. */
export function boardLog(dmesg: string, id: string): BoardLog {
  const lines = dmesg.split('\n')
  const mark = lines.findLastIndex((line) => line.includes(`contig: run ${id} begins`))
  const init = lines.findIndex((line) =>
    /Run \S+ as init process|Freeing unused kernel (image|memory)/.test(line),
  )
  const whole = lines
    .slice(0, 40)
    .some((line) => /Booting Linux on physical CPU|\] Linux version /.test(line))
  return {
    boot: whole && init >= 0 ? readDmesg(lines.slice(0, init).join('\n')).map(({ text }) => text) : null,
    since: mark < 0 ? null : lines.slice(mark + 1).join('\n'),
  }
}

// What a lab expects of the log, without the lines that the kernel said while it booted: those count from there.
function withoutBootLines(boot: LabBoot, kernel: KernelTag, log: BoardLog): LabBoot {
  const { must } = boot.expect?.log ?? {}
  if (!must || !log.boot) return boot
  const spoken = log.boot
  const later = must.filter((each) => lookThrough({ must: [each] }, spoken, kernel).length > 0)
  return { ...boot, expect: { ...boot.expect, log: { ...boot.expect?.log, must: later } } }
}

const ENDS: Readonly<Record<Exclude<SessionEnd, 'itself'>, (limit: number) => string>> = {
  lost: () => 'the connection was lost',
  late: (limit) => `it did not end within ${limit} s`,
  flood: () => 'it printed without end and was stopped',
}

export interface BoardEnding {
  readonly end: SessionEnd
  readonly limit: number
  /** The board said that it has cleaned up. */
  readonly cleaned: boolean
  /** What it could not undo. */
  readonly left: readonly string[]
  readonly notes: readonly string[]
}

function endingCheck(boot: LabBoot, transcript: Transcript, ending: BoardEnding): Check {
  const name = 'the board ran to its end'
  if (transcript.done) return { name, ok: true, lines: [] }
  const step = transcript.lastStep === null ? undefined : boot.steps?.[transcript.lastStep]
  const during = step ? `during “${stepWords(step).title}”` : 'before the first step'
  const why = ending.end === 'itself' ? 'its script was ended from outside' : ENDS[ending.end](ending.limit)
  const gone =
    'a board that is still up cleans up by itself; one that crashed tells why on its serial console'
  return { name, ok: false, lines: [`${why}, ${during}`, ...(ending.cleaned ? [] : [gone])] }
}

function asFoundCheck(ending: BoardEnding): Check {
  const name = 'the board is as it was found'
  if (ending.left.length > 0)
    return { name, ok: false, lines: ending.left.map((each) => `${each} could not be removed`) }
  if (!ending.cleaned) return { name, ok: false, lines: ['nobody saw it clean up'] }
  return { name, ok: true, lines: [] }
}

/** Judges what a board handed over. */
export function judgeBoard(
  boot: LabBoot,
  kernel: KernelTag,
  handed: Uint8Array,
  id: string,
  ending: BoardEnding,
): { transcript: Transcript; judged: Judged; checks: Check[] } {
  const read = readTranscript(handed)
  const dmesg = read.texts.get('dmesg')
  const log = boardLog(dmesg?.text ?? '', id)
  const texts = new Map(read.texts)
  // The text is not what was sent any more, and whole all the same.
  if (dmesg && log.since !== null) texts.set('dmesg', { ...dmesg, text: log.since })
  const transcript: Transcript = { ...read, texts }
  const expected = withoutBootLines(boot, kernel, log)
  const judged = judge(expected, kernel, transcript, {
    ...{ timedOut: ending.end === 'late', limit: ending.limit, code: null },
    ...{ flooded: ending.end === 'flood', lastLines: [] },
  })
  const [, ...rest] = judged.checks
  const checks = [endingCheck(boot, transcript, ending), ...rest].map((check) =>
    check.name === 'the kernel log says what it should' && !check.ok && log.boot === null
      ? {
          ...check,
          lines: [
            ...check.lines,
            'the board’s log does not reach back to its boot any more; after a reboot it does',
          ],
        }
      : check,
  )
  if (dmesg && log.since === null)
    checks.push({
      name: 'the kernel log is whole',
      ok: false,
      lines: [
        'so much was logged that the lines of this run were overwritten: boot the board with a larger log_buf_len=',
      ],
    })
  checks.push(asFoundCheck(ending))
  for (const note of ending.notes) checks.push({ name: 'left out', ok: true, lines: [note] })
  return { transcript, judged, checks }
}
