// SPDX-License-Identifier: MIT
//
// The kernel's log, and the lines in it that no lab may leave behind.

export interface LogRecord {
  /** Since boot; null for a line that came without a time. */
  readonly seconds: number | null
  readonly text: string
}

/** What `dmesg` printed, line by line. */
export function readDmesg(text: string): LogRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^\[\s*(\d+\.\d+)\] (.*)$/.exec(line)
      return match ? { seconds: Number(match[1]), text: match[2] ?? '' } : { seconds: null, text: line }
    })
}

/** Kinds of lines by which a kernel tells of a mistake, and what each means. */
const TROUBLE: readonly (readonly [RegExp, string])[] = [
  [/\bWARNING: /, 'the kernel found something that must not be'],
  [/\bBUG: /, 'the kernel found itself broken'],
  [/\bkernel BUG at\b/, 'the kernel found itself broken'],
  [/\bOops\b|\bInternal error: /, 'the kernel faulted'],
  [/Unable to handle kernel/, 'the kernel touched an address that is not there'],
  [/\bBad page\b|bad page state|\bpagealloc: /i, 'a page was freed while in use, or used after'],
  [/\brefcount_t: /, 'a reference was dropped once too often, or never'],
  [/Trying to (v?free|unmap)/i, 'something was freed that was not allocated'],
  [
    /\bunreferenced object\b|\bmemory leaks?\b(?! detector initialized)|\bleaked\b/i,
    'something was never freed',
  ],
  [/\bUBSAN: /, 'C that has no meaning was executed'],
  [/\bODEBUG: /, 'an object was used outside its life'],
  [
    /INFO: (possible|inconsistent|task .* blocked)|suspicious RCU usage/,
    'locks out of order, or held for ever',
  ],
  [/\bDMA-API: (?!preallocated|debugging enabled)/, 'the DMA API was used against its rules'],
  [
    /possible (recursive|circular) locking|sleeping function called from invalid/,
    'locks or sleeping out of order',
  ],
  [/sysfs: cannot create duplicate|kobject_add_internal failed/, 'a name was registered twice'],
  [/Kernel panic/, 'the kernel stopped'],
]

/** Lines that tell of a mistake, each with what it means. `allowed` says which the lab provokes on purpose. */
export function logTrouble(
  log: readonly LogRecord[],
  allowed: (text: string) => boolean,
): { readonly text: string; readonly means: string }[] {
  return log.flatMap(({ text }) => {
    const kind = TROUBLE.find(([pattern]) => pattern.test(text))
    return kind && !allowed(text) ? [{ text, means: kind[1] }] : []
  })
}

/** What a kernel says before anything else. */
export const isFirstLine = (text: string): boolean => text.startsWith('Booting Linux on physical CPU')

/**
 * The log of a kernel that spoke on the console first and was quiet later: the console's lines, which the log buffer may
 * have lost, and behind them what came after.
 */
export function joinLogs(console: readonly string[], dmesg: readonly LogRecord[]): LogRecord[] {
  if (dmesg.some(({ text }) => isFirstLine(text))) return [...dmesg]
  const spoken = readDmesg(console.join('\n')).filter((record) => record.seconds !== null)
  const last = spoken.at(-1)?.seconds ?? -1
  return [...spoken, ...dmesg.filter(({ seconds }) => seconds !== null && seconds > last)]
}
