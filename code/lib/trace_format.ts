// SPDX-License-Identifier: MIT
//
// Trace out: records as the text of /sys/kernel/tracing/trace.
//
//     formatTrace(trace.records, '6.12.117')
//
//     # tracer: nop
//     #
//     # entries-in-buffer/entries-written: 1/1   #P:1
//     …
//            swapper/0-1       [000] .....     0.000001: cma_alloc_start: name=reserved count=256 align=8
//
// A model records what it does under one set of names; the kernel that is asked for decides what of it is printed. An
// event that it does not have is left out, and so is a field: 6.1 has no dma events and no errorno.

// #region trace-format-head
import { type KernelVersion, kernelAtLeast } from './kernel_version.ts'
import type { TraceRecord, TraceValue } from './trace.ts'
import { type TraceConversion, traceEventFormat } from './trace_events.ts'
import { printTraceValue, tracePointer, type TraceStyle } from './trace_values.ts'

/** A piece of a line: literal text, or a field and how it is printed. */
export type TracePiece = string | { readonly field: string; readonly conversion: TraceConversion }

const pieces = new Map<string, readonly TracePiece[]>()

/** `pfn=0x{pfn:x} …` in its pieces. */
export function tracePieces(print: string): readonly TracePiece[] {
  let parts = pieces.get(print)
  if (!parts) {
    parts = print
      .split(/(\{\w+:\w+\})/)
      .filter((part) => part !== '')
      .map((part) => {
        const [, field, conversion] = /^\{(\w+):(\w+)\}$/.exec(part) ?? []
        return field === undefined ? part : { field, conversion: conversion as TraceConversion }
      })
    pieces.set(print, parts)
  }
  return parts
}

/** A scatterlist event shows no more entries. @kernel include/trace/events/dma.h DMA_TRACE_MAX_ENTRIES v6.12 */
const DMA_TRACE_MAX_ENTRIES = 128

// What the kernel makes of other fields when it prints.
function derived(name: string, number: (field: string) => number): string {
  switch (name) {
    case 'ret':
      return number('end_pfn') <= number('fin_pfn') ? 'success' : 'fail'
    case 'fragmenting':
      return number('fallback_order') < number('pageblock_order') ? '1' : '0'
    case 'shown_nents':
      return String(Math.min(number('nents'), DMA_TRACE_MAX_ENTRIES))
    case 'shown_ents':
      return String(Math.min(number('ents'), DMA_TRACE_MAX_ENTRIES))
    case 'truncated':
      return Math.max(number('nents'), number('ents')) > DMA_TRACE_MAX_ENTRIES ? ' [TRUNCATED]' : ''
    default:
      throw new Error(`printTrace: no rule makes ${name}; give it one in derived()`)
  }
}

/** What a model prints for the page of a record that names none: NULL where there is none, else its pfn, hashed. */
export function pageOf({ pfn, errorno }: TraceRecord['fields'], bits: 32 | 64): string {
  const none = pfn === undefined || typeof pfn === 'string' || pfn < 0 || (errorno ?? 0) !== 0
  return tracePointer(none || BigInt(pfn) >= 2n ** BigInt(bits) - 1n ? 0 : pfn, bits)
}
// #endregion trace-format-head

// #region trace-format-payload
function payload(record: TraceRecord, print: string, style: TraceStyle): string {
  const { event, fields } = record
  const value = (field: string): TraceValue => {
    const found = fields[field]
    if (found !== undefined) return found
    if (field === 'page') return pageOf(fields, style.bits)
    throw new Error(
      `formatTraceRecord: ${event} has fields ${Object.keys(fields).join(', ') || '(none)'}, and no ${field}, which ` +
        `${style.kernel} prints; hand it to trace.emit()`,
    )
  }
  return tracePieces(print)
    .map((piece) => {
      if (typeof piece === 'string') return piece
      const { field, conversion } = piece
      if (conversion === 'derived') return derived(field, (name) => Number(value(name)))
      return printTraceValue(value(field), conversion, style)
    })
    .join('')
}
// #endregion trace-format-payload

// #region trace-format-lines
/**
 * One line without its line end, as `kernel` prints the record; null for an event that it does not have. A record that
 * was read and that no format fits has its text in a field `verbatim`, and prints as that.
 * @throws a record lacks a field that `kernel` prints
 */
export function formatTraceRecord(
  record: TraceRecord,
  kernel: KernelVersion,
  bits: 32 | 64 = 64,
): string | null {
  const { comm, pid, cpu, flags, usec, event, fields } = record
  const format = traceEventFormat(event, kernel)
  const { verbatim } = fields
  if (!format && verbatim === undefined) return null
  const said =
    verbatim !== undefined || !format ? String(verbatim) : payload(record, format.print, { kernel, bits })
  // A thread number was wider, and migrate-disable was a flag, before 6.1.
  const modern = kernelAtLeast(kernel, '6.1.192')
  const task = `${comm.padStart(16)}-${String(pid).padEnd(modern ? 7 : 5)}`
  const time = `${String(Math.floor(usec / 1e6)).padStart(5)}.${String(usec % 1e6).padStart(6, '0')}`
  const shown = modern ? flags : flags.slice(0, 4)
  return `${task} [${String(cpu).padStart(3, '0')}] ${shown} ${time}: ${event}: ${said}`
}

const HEADER = [
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
]
const HEADER_4 = [
  '#                              _-----=> irqs-off',
  '#                             / _----=> need-resched',
  '#                            | / _---=> hardirq/softirq',
  '#                            || / _--=> preempt-depth',
  '#                            ||| /     delay',
  '#           TASK-PID   CPU#  ||||    TIMESTAMP  FUNCTION',
  '#              | |       |   ||||       |         |',
]
// With `echo 0 > options/irq-info`.
const HEADER_PLAIN = [
  '#           TASK-PID     CPU#     TIMESTAMP  FUNCTION',
  '#              | |         |         |         |',
]

/** What a trace says besides its records. */
export interface TraceOptions {
  /** CPUs that are online. Default: 1. */
  readonly cpus?: number
  /** Bits in an `unsigned long`: 32 on arm. Default: 64. */
  readonly bits?: 32 | 64
}

/**
 * The whole file, as `kernel` prints it. Events that `kernel` does not have are left out, and not counted as entries.
 * @throws a record lacks a field that `kernel` prints
 */
export function formatTrace(
  records: readonly TraceRecord[],
  kernel: KernelVersion,
  { cpus = 1, bits = 64 }: TraceOptions = {},
): string {
  const lines = records
    .map((record) => formatTraceRecord(record, kernel, bits))
    .filter((line) => line !== null)
  const plain = records.length > 0 && records.every(({ flags }) => flags === '')
  const modern = kernelAtLeast(kernel, '6.1.192')
  const head = plain ? HEADER_PLAIN : modern ? HEADER : HEADER_4
  const entries = `# entries-in-buffer/entries-written: ${lines.length}/${lines.length}   #P:${cpus}`
  return ['# tracer: nop', '#', entries, '#', ...head, ...lines, ''].join('\n')
}
// #endregion trace-format-lines
