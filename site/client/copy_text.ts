// SPDX-License-Identifier: MIT
//
// What a block of code is when it is copied: no line numbers, a nested region as a comment in the language of the file; of
// a transcript the commands alone, and all of it when nobody typed any.

/** What stands before a command of a transcript, for a user and for root. */
const PROMPT = /^[$#] /
const COMMENTS: Record<string, readonly [string, string]> = {
  ts: ['// ', ''],
  c: ['/* ', ' */'],
  dts: ['/* ', ' */'],
  make: ['# ', ''],
}

/** The commands of a transcript, or null when it has none. A line that ends with a backslash goes on in the next. */
export function commandsOf(transcript: string): string | null {
  const typed: string[] = []
  let goesOn = false
  for (const line of transcript.split('\n')) {
    if (!goesOn && !PROMPT.test(line)) continue
    typed.push(goesOn ? line.replace(/^> /, '') : line.replace(PROMPT, ''))
    goesOn = line.endsWith('\\')
  }
  return typed.length > 0 ? `${typed.join('\n')}\n` : null
}

/** A listing's text with its holes, lines that are `⟨name⟩` and nothing else, as comments. */
export function listingText(text: string, lang: string): string {
  const [open, close] = COMMENTS[lang] ?? COMMENTS['ts']!
  return `${text.replace(/^(\s*)(⟨[^⟩\n]+⟩)$/gm, `$1${open}$2${close}`).replace(/\n+$/, '')}\n`
}
