// SPDX-License-Identifier: MIT
//
// Whether a file of the kernel has what a claim says it has. The rules:
//
// - A symbol occurs as a whole word, in a file of C outside comments and string literals. A function, in lower case and
//   without `struct` before it, must stand before a parenthesis somewhere; a variable is claimed as `name`.
// - A log text occurs in a string literal. Literals that follow each other, over lines or with a macro such as KERN_INFO
//   or PRIx64 between them, are one. The text may begin with the file's own pr_fmt() prefix, where the literal does not.

/** Comments, string literals and character constants of C. */
const TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g

const isC = (path: string): boolean => /\.[chS]$/.test(path)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The file without comments; `strings` keeps its string literals. */
function stripped(text: string, strings: boolean): string {
  return text.replace(TOKEN, (token) => (token[0] === '"' && strings ? token : token[0] === '/' ? ' ' : '""'))
}

/** Whether `symbol` (`cma_alloc`, `struct cma`, `reusable`) occurs in `text`, a file at `path`. */
export function symbolOccurs(text: string, path: string, symbol: string): boolean {
  const words = symbol.split(' ').map(escaped).join('\\s+')
  if (isC(path)) return new RegExp(`(?<!\\w)${words}(?!\\w)`).test(stripped(text, false))
  return new RegExp(`(?<![\\w-])${words}(?![\\w-])`).test(text)
}

/** Whether `symbol` stands before a parenthesis: a call, a definition or a declaration of a function, or a macro. */
export function symbolCalled(text: string, symbol: string): boolean {
  return new RegExp(`\\b${escaped(symbol)}\\s*\\(`).test(stripped(text, false))
}

/** The string literals of a file of C, those that follow each other joined. */
export function literalsOf(text: string): string[] {
  const found = stripped(text, true)
    .replace(PR_FMT, '')
    .matchAll(/"(?:\\[\s\S]|[^"\\\n])*"(?:(?:\s|\\\n|\b[A-Z][A-Za-z0-9_]*\b)*"(?:\\[\s\S]|[^"\\\n])*")*/g)
  return [...found].map(([run]) =>
    [...run.matchAll(/"((?:\\[\s\S]|[^"\\\n])*)"/g)]
      .map(([, inside]) => (inside ?? '').replace(/\\\n/g, ''))
      .join(''),
  )
}

const PR_FMT = /#\s*define\s+pr_fmt\(\w+\)[ \t]+([^\n]*)/g

/** What the file's pr_fmt() puts before each line; `KBUILD_MODNAME` and the like stand for any word. */
function prefixesOf(text: string): RegExp[] {
  return [...stripped(text, true).matchAll(PR_FMT)].map(([, body = '']) => {
    const parts = [...body.matchAll(/"((?:\\.|[^"\\])*)"|\b([A-Z]\w*)\b/g)].map(([, literal, word]) =>
      word === undefined ? escaped(literal ?? '').replace('%s', '\\w+') : '[\\w.-]+',
    )
    return new RegExp(`^${parts.join('')}`)
  })
}

/** Whether the format `log` occurs in a literal of the file. */
export function logOccurs(text: string, log: string): boolean {
  const literals = literalsOf(text)
  const bare = log.replace(/\n$|\\n$/, '')
  const spellings = [bare, ...prefixesOf(text).map((prefix) => bare.replace(prefix, ''))].filter(
    (spelling) => spelling.trim() !== '',
  )
  return spellings.some((spelling) => {
    const source = spelling.replaceAll('"', '\\"').replaceAll('\t', '\\t')
    return literals.some((literal) => literal.includes(spelling) || literal.includes(source))
  })
}
