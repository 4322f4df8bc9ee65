// SPDX-License-Identifier: MIT
//
// The browser's storage, which may be refused or full. What it does not take lasts as long as the page; whoever asks is
// told so, and nothing breaks.

/** What the storage did not take, and what it was not given. */
const held = new Map<string, string | null>()
const ours = new Set<string>()

/** Whether everything so far was kept. */
export const isKept = (): boolean => held.size === 0

/** The text under `key`, null when there is none. */
export function take(key: string): string | null {
  const text = held.get(key)
  if (text !== undefined) return text
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Puts a text, or takes it away when it is null. */
export function put(key: string, text: string | null): void {
  if (ours.has(key)) return void held.set(key, text)
  try {
    if (text === null) localStorage.removeItem(key)
    else localStorage.setItem(key, text)
    held.delete(key)
  } catch {
    held.set(key, text)
  }
}

/** From now on `key` lasts as long as the page: what lies in the storage there is not ours to replace. */
export function leaveAlone(key: string): void {
  ours.add(key)
  held.set(key, null)
}
