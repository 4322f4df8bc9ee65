// SPDX-License-Identifier: MIT
//
// What a page keeps on the reader's machine. A browser may refuse, or have no room: then the page works without.

export function kept(key: string): string | null {
  try {
    return localStorage.getItem(`contiguous:${key}`)
  } catch {
    return null
  }
}

/** False when nothing was kept. */
export function keep(key: string, value: string): boolean {
  try {
    localStorage.setItem(`contiguous:${key}`, value)
    return true
  } catch {
    return false
  }
}
