// SPDX-License-Identifier: MIT
//
// The known word that a person most likely meant.

// #region nearest-word-distance
// Letters to add, drop or change to make one word of the other.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
// #endregion nearest-word-distance

// #region nearest-word
/** The nearest of `known`, or null when none is near: more than a third of its letters would change. */
export function nearestWord(word: string, known: readonly string[]): string | null {
  const all = known.map((each) => ({ each, far: distance(word.toLowerCase(), each.toLowerCase()) }))
  const [best] = all.sort((a, b) => a.far - b.far)
  return best !== undefined && best.far <= Math.max(1, Math.ceil(best.each.length / 3)) ? best.each : null
}
// #endregion nearest-word
