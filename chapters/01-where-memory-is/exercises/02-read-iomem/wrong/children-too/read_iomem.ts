// SPDX-License-Identifier: MIT
//
// Where RAM is, by a listing of /proc/iomem.

/** `[base, base + size)`. Unit: bytes. */
export interface Bank {
  readonly base: number
  readonly size: number
}

/** The banks of RAM, lowest first; null when the listing tells no addresses. */
export function banksOf(iomem: string): Bank[] | null {
  const banks: { base: number; size: number }[] = []
  let told = false
  for (const line of iomem.split('\n')) {
    const match = /^ *([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line)
    if (!match) continue
    const [base, last] = [parseInt(match[1]!, 16), parseInt(match[2]!, 16)]
    told ||= last !== 0
    if (!['System RAM', 'reserved'].includes(match[3]!)) continue
    const size = last - base + 1
    const before = banks.at(-1)
    if (before && before.base + before.size === base) before.size += size
    else banks.push({ base, size })
  }
  return told ? banks : null
}
