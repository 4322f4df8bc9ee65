// SPDX-License-Identifier: MIT
//
// What became of each allocation in a trace.
import type { TraceRecord } from 'contiguous/lib/trace'

/** What became of one cma_alloc(). */
export interface Story {
  readonly pid: number
  /** Pages that were asked for. */
  readonly count: number
  /** Places that were given up. */
  retries: number
  outcome: 'allocated' | 'failed' | 'not tried'
  /** First page, or null. */
  pfn: number | null
}

/** A story for each cma_alloc_start, in the order of the starts. */
export function stories(records: readonly TraceRecord[]): Story[] {
  const all: Story[] = []
  const open = new Map<number, Story>()
  for (const { event, pid, fields } of records) {
    if (event === 'cma_alloc_start') {
      const story: Story = { pid, count: Number(fields['count']), retries: 0, outcome: 'not tried', pfn: null }
      all.push(story)
      open.set(pid, story)
    }
    const story = open.get(pid)
    if (!story) continue
    if (event === 'cma_alloc_busy_retry') story.retries++
    if (event !== 'cma_alloc_finish') continue
    const pfn = Number(fields['pfn'])
    const allocated = pfn >= 0 && pfn < 2 ** 52
    story.outcome = allocated ? 'allocated' : 'failed'
    story.pfn = allocated ? pfn : null
    open.delete(pid)
  }
  return all
}
