// SPDX-License-Identifier: MIT
//
// Trace events: what a kernel tells about its own steps, under the kernel's names. A model emits events; trace_format.ts
// prints them as ftrace of 6.1 or 6.12 would, trace_parse.ts reads such text, from a model or from a board.
//
//     trace.enabled = true
//     if (trace.enabled) trace.emit('cma_alloc_start', { name: 'reserved', count: 256, align: 8 })
//
// Time is a counter: a microsecond goes by with each event.

// #region trace-fields
/** What a field holds: a number (pfn, count, errno; a bigint for what a number cannot hold) or a word. */
export type TraceValue = number | bigint | string

/** An event as it was emitted. */
export interface TraceRecord {
  /** The task, as ftrace shows it. */
  readonly comm: string
  readonly pid: number
  readonly cpu: number
  /** The flags of the line: irqs-off, need-resched, hardirq/softirq, preempt-depth (and migrate-disable), e.g. `.....`. */
  readonly flags: string
  /** Microseconds since the machine started. */
  readonly usec: number
  /** The event's name, e.g. `cma_alloc_start`. */
  readonly event: string
  /** Its fields by name. */
  readonly fields: Readonly<Record<string, TraceValue>>
}
// #endregion trace-fields

// #region trace-state
/** The trace buffer of a machine. It grows; clearing it is `records.length = 0`. */
export interface Trace {
  /** Off at first. Hot code asks before it makes the fields of an event. */
  enabled: boolean
  /** The task that runs. */
  current: { comm: string; pid: number }
  /** Microseconds since the machine started. */
  usec: number
  readonly records: TraceRecord[]
  emit(event: string, fields: Readonly<Record<string, TraceValue>>): void
}

export function createTrace(): Trace {
  const trace: Trace = {
    enabled: false,
    current: { comm: 'swapper/0', pid: 1 },
    usec: 0,
    records: [],
    emit: (event, fields) => {
      if (!trace.enabled) return
      trace.usec++
      const { comm, pid } = trace.current
      trace.records.push({ comm, pid, cpu: 0, flags: '.....', usec: trace.usec, event, fields })
    },
  }
  return trace
}
// #endregion trace-state
