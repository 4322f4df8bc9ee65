// SPDX-License-Identifier: MIT
//
// Calls of the DMA API that a model and a kernel both make, so that they can be held against each other: as data, and as
// the lines that kernel/user/replay_run.c reads.
//
//     3 alloc 0 replay-area 1536000 0        buffer 0, so many bytes, flags
//     4 map 0 0 1536000 0 srw                mapping 0 of buffer 0: bytes, first page, shared, readable, writable
//     5 unmap 0
//     6 free 0                               the last descriptor goes: freed, unless a mapping holds on to it
//
// `hold` keeps a page of a buffer beyond the buffer's end, `drop` lets the oldest of a device's go: meanwhile it is in the
// way of whoever wants the range.
//
// replay_model.ts makes them on a model, kernel/replay on a kernel; replay_answers.ts compares.

// #region replay-steps-imports
import type { Bytes } from '../lib/units.ts'
// #endregion replay-steps-imports

// #region replay-steps-flags
/** As in kernel/include/uapi/replay.h. */
export const REPLAY_ATOMIC = 0x1
export const REPLAY_WRITE_COMBINE = 0x2
export const REPLAY_NO_MAPPING = 0x4
export const REPLAY_NO_WARN = 0x8
// #endregion replay-steps-flags

// #region replay-steps-types
/** One call. Buffers and mappings have numbers from 0 to 63; devices their names in the device tree. */
export type ReplayStep =
  | {
      readonly call: 'alloc'
      readonly buffer: number
      readonly device: string
      readonly size: Bytes
      /** REPLAY_* or-ed. */
      readonly flags: number
    }
  | { readonly call: 'free'; readonly buffer: number }
  | {
      readonly call: 'map'
      readonly mapping: number
      readonly buffer: number
      readonly bytes: Bytes
      readonly pgoff: number
      readonly shared: boolean
      readonly write: boolean
    }
  | { readonly call: 'unmap' | 'grow' | 'dontneed' | 'lock' | 'sum'; readonly mapping: number }
  | { readonly call: 'fill'; readonly mapping: number; readonly byte: number }
  | { readonly call: 'hold'; readonly buffer: number; readonly page: number }
  | { readonly call: 'mask'; readonly device: string; readonly bits: number }
  | { readonly call: 'attach'; readonly device: string; readonly index: number }
  | { readonly call: 'detach' | 'drop'; readonly device: string }
  | { readonly call: 'wait' | 'count' }

export type ReplayCall = ReplayStep['call']
// #endregion replay-steps-types

// #region replay-steps-calls
/** All calls by name. */
export const REPLAY_CALLS = [
  ...(['alloc', 'free', 'map', 'unmap', 'grow', 'dontneed', 'lock'] as const),
  ...(['fill', 'sum', 'hold', 'drop', 'mask', 'attach', 'detach', 'wait', 'count'] as const),
] as const satisfies readonly ReplayCall[]
// #endregion replay-steps-calls

// #region replay-steps-spell
/** A call as its line says it, without number. */
export function spellStep(step: ReplayStep): string {
  switch (step.call) {
    case 'alloc':
      return `alloc ${step.buffer} ${step.device} ${step.size} ${step.flags}`
    case 'free':
      return `free ${step.buffer}`
    case 'map': {
      const how = `${step.shared ? 's' : 'p'}r${step.write ? 'w' : ''}`
      return `map ${step.mapping} ${step.buffer} ${step.bytes} ${step.pgoff} ${how}`
    }
    case 'fill':
      return `fill ${step.mapping} ${step.byte}`
    case 'hold':
      return `hold ${step.buffer} ${step.page}`
    case 'mask':
      return `mask ${step.device} ${step.bits}`
    case 'attach':
      return `attach ${step.device} ${step.index}`
    case 'detach':
    case 'drop':
      return `${step.call} ${step.device}`
    default:
      return 'mapping' in step ? `${step.call} ${step.mapping}` : step.call
  }
}
// #endregion replay-steps-spell

// #region replay-steps-script
/** The file for replay_run: every call with its number, which comes back with its answer. */
export function replayScript(steps: readonly ReplayStep[]): string {
  return steps.map((step, number) => `${number} ${spellStep(step)}\n`).join('')
}
// #endregion replay-steps-script
