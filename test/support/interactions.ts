// SPDX-License-Identifier: MIT
//
// How long the page takes from an input of its reader to the next paint, as Chromium measures it (Event Timing).
import type { Page } from 'playwright-core'

/**
 * The quickest of some tries of one interaction, in milliseconds: a busy machine makes a try slower and never quicker, and
 * what blocks the page blocks every one of them. 0 when all were below what Chromium reports.
 */
export async function quickest(
  page: Page,
  act: (turn: number) => Promise<unknown>,
  tries = 4,
): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < tries; turn += 1) {
    await page.evaluate(() => {
      const seen = { worst: 0 }
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.worst = Math.max(seen.worst, entry.duration)
      })
      observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
      Object.assign(globalThis, { seenEvents: seen })
    })
    await act(turn)
    times.push(
      await page.evaluate(
        () =>
          new Promise<number>((done) =>
            requestAnimationFrame(() =>
              setTimeout(
                () => done((globalThis as unknown as { seenEvents: { worst: number } }).seenEvents.worst),
                50,
              ),
            ),
          ),
      ),
    )
  }
  return Math.min(...times)
}
