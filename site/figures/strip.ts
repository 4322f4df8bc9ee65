// SPDX-License-Identifier: MIT
//
// The ornament of a page's head: a row of page frames, some in use, and one contiguous run in copper. The run of
// chapter n lies at n's place in the row; the front page has a long one. Always the same picture for the same page.
const FRAMES = 64
const STEP = 15

/** A small generator, so that the picture never changes between builds. */
function scattered(seed: number): () => number {
  let state = seed * 2654435761 + 12345
  return () => {
    state = (state * 48271 + 11) % 2147483647
    return state / 2147483647
  }
}

/** `place` from 0 to 1 says where the run lies; `length` how many frames it has. */
export function strip(place: number, length: number, rows: number): string {
  const start = Math.round(place * (FRAMES - length))
  const random = scattered(start + 7 * length)
  const runRow = Math.floor(rows / 2)
  let used = ''
  let free = ''
  for (let row = 0; row < rows; row++) {
    for (let frame = 0; frame < FRAMES; frame++) {
      const inRun = row === runRow && frame >= start && frame < start + length
      const busy = random() < 0.62
      if (inRun) continue
      const [x, y] = [frame * STEP, row * STEP]
      if (busy) used += `M${x} ${y}h12v12h-12z`
      else free += `M${x + 0.5} ${y + 0.5}h11v11h-11z`
    }
  }
  return (
    `<svg class="strip" viewBox="0 0 ${FRAMES * STEP - 3} ${rows * STEP - 3}" aria-hidden="true" focusable="false">` +
    `<path class="free" d="${free}"/><path class="used" d="${used}"/>` +
    (length === 0
      ? ''
      : `<rect class="run" x="${start * STEP}" y="${runRow * STEP}" width="${length * STEP - 3}" height="12"/>`) +
    '</svg>'
  )
}
