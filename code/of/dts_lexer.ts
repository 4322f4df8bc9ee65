// SPDX-License-Identifier: MIT
//
// Device-tree source → tokens, one at a time, as dtc 1.6.1 cuts them.
//
// What a character means depends on what came before, so the lexer is in one of three states:
//
//     name      after `{`, `;`, /delete-node/ …   `reg`, `#size-cells`, `uart@9000000` are one token each
//     value     after a name                      numbers, punctuation of expressions
//     bytes     after `[`                         pairs of hex digits
//
// Strings, labels (`here:`), references (`&there`), keywords (`/bits/`) and comments are the same in all three.
// Leaves out: reading other files. /include/, /incbin/ and lines for the C preprocessor are told and passed over.

// #region dts-lexer-imports
import { ByteBuffer } from './byte_buffer.ts'
// #endregion dts-lexer-imports

// #region dts-token
/** Where a token stands. Line and column count from 1, columns in UTF-16 units. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export type TokenKind =
  /** Keywords such as `/bits/`; `text` has the slashes. */
  | 'keyword'
  /** The name of a node or property. */
  | 'name'
  /** `text` is without the colon. */
  | 'label'
  /** `text` is a label, or a path from its slash on. */
  | 'reference'
  | 'string'
  | 'number'
  | 'character'
  | 'byte'
  /** An operator or any other single character. */
  | 'sign'
  /** A word where none may stand; only errors speak of it. */
  | 'word'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly place: Place
  /** Where the token starts in the source, in UTF-16 units. */
  readonly offset: number
  /** Of a number, character or byte: 0 to 2^64 - 1. */
  readonly value: bigint
  /** Of a string: its bytes, escapes undone, with the NUL. */
  readonly bytes?: Uint8Array
}

/** How the lexer and the parser tell what they find. */
export type Report = (rule: string, place: Place, text: string, note?: string) => void
// #endregion dts-token

// #region dts-patterns
const WORD = /[a-zA-Z0-9,._+*#?@-]+/y
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*):/y
const NUMBER = /(0[xX][0-9a-fA-F]+|[0-9]+)(ULL|LL|UL|U|L)?/y
const BYTE = /[0-9a-fA-F]{2}/y
const REFERENCE = /&(?:([a-zA-Z_][a-zA-Z0-9_]*)|\{(\/[a-zA-Z0-9,._+*#?@/-]*)\})/y
const KEYWORD = /\/(?:dts-v1|plugin|memreserve|bits|delete-property|delete-node|omit-if-no-ref|incbin)\//y
const INCLUDE = /\/include\//y
const SIGN = /<<|>>|<=|>=|==|!=|&&|\|\||[^]/uy
const SPACE = /[ \t\r\n\v\f]+/y
const LINE_MARKER = /#(?:line)?[ \t]+([0-9]+)[ \t]+"([^"\n]{0,4096})"(?:[ \t]+[0-9]+)*/y
const PREPROCESSOR =
  /#[ \t]*(include|define|undef|if|ifdef|ifndef|elif|else|endif|pragma|error|warning)(?=[ \t\r\n"<(]|$)[^\n]*/y

const MAX_U64 = 0xffff_ffff_ffff_ffffn
// #endregion dts-patterns

// #region dts-escapes
const SIMPLE_ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }
const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([^]))/gu

/** The bytes of a quoted text, UTF-8, with its escapes undone. No NUL is added. */
export function unescape(text: string): Uint8Array {
  const utf8 = new TextEncoder()
  if (!text.includes('\\')) return utf8.encode(text)
  const out = new ByteBuffer()
  let from = 0
  for (const match of text.matchAll(ESCAPE)) {
    const [whole, octal, digits, letter = ''] = match
    out.append(utf8.encode(text.slice(from, match.index)))
    from = match.index + whole.length
    if (octal) out.integer(BigInt(parseInt(octal, 8)), 8)
    else if (digits) out.integer(BigInt(parseInt(digits, 16)), 8)
    else if (SIMPLE_ESCAPES[letter] !== undefined) out.integer(BigInt(SIMPLE_ESCAPES[letter]), 8)
    else out.append(utf8.encode(letter))
  }
  out.append(utf8.encode(text.slice(from)))
  return out.bytes()
}
// #endregion dts-escapes

// #region dts-lexer
/** Gives the tokens of `source`; after the last one, `end` again and again. */
export class DtsLexer {
  readonly #source: string
  readonly #report: Report
  #file: string
  #offset = 0
  #line = 1
  // What to add to a line of the source for the line that a marker of the preprocessor gave.
  #lineShift = 0
  #lineStart = 0
  #lineEnd: number
  #cutShort = false
  #state: 'name' | 'value' | 'bytes' = 'value'

  constructor(source: string, file: string, report: Report) {
    this.#source = source
    this.#file = file
    this.#report = report
    this.#lineEnd = lineEnd(source, 0)
  }

  /** Whether a text or a comment had no end, so that the source seems to end where it does not. */
  get cutShort(): boolean {
    return this.#cutShort
  }

  // #region dts-lexer-next
  /** The next token. What is wrong inside it is reported, and a token of its kind given all the same. */
  next(): Token {
    for (;;) {
      this.#skipBlank()
      if (!this.#include()) return this.#token()
    }
  }

  #token(): Token {
    const at = { place: this.#place(), offset: this.#offset, value: 0n }
    if (this.#offset >= this.#source.length) return { kind: 'end', text: '', ...at }
    return this.#quoted(at) ?? this.#keyword(at) ?? this.#nameOrNumber(at) ?? this.#sign(at)
  }
  // #endregion dts-lexer-next

  // #region dts-lexer-again
  /** Goes back to `token`, which was the last one given, to give it again as the name of a node or property. */
  againAsName(token: Token): void {
    this.#offset = token.offset
    this.#line = token.place.line - this.#lineShift
    this.#lineStart = token.offset - token.place.column + 1
    this.#lineEnd = lineEnd(this.#source, this.#lineStart)
    this.#state = 'name'
  }
  // #endregion dts-lexer-again

  // #region dts-lexer-blank
  #skipBlank(): void {
    for (;;) {
      if (this.#match(SPACE)) continue
      if (this.#source.startsWith('//', this.#offset)) {
        const newline = this.#source.indexOf('\n', this.#offset)
        this.#take(newline < 0 ? this.#source.length : newline)
      } else if (this.#source.startsWith('/*', this.#offset)) {
        this.#skipComment()
      } else if (this.#source[this.#offset] !== '#' || !this.#hashLine()) {
        return
      }
    }
  }

  #skipComment(): void {
    const place = this.#place()
    const close = this.#source.indexOf('*/', this.#offset + 2)
    this.#cutShort ||= close < 0
    if (close < 0)
      this.#report('dts-syntax', place, 'the comment has no end; expected */', 'Close it with */.')
    this.#take(close < 0 ? this.#source.length : close + 2)
  }

  // A line that starts with `#`: whether it was one of the preprocessor's, and is passed.
  #hashLine(): boolean {
    if (this.#source.slice(this.#lineStart, this.#offset).trim() !== '') return false
    const place = this.#place()
    const marker = this.#match(LINE_MARKER)
    if (marker) {
      this.#file = new TextDecoder().decode(unescape(marker[2]!))
      // The number is that of the next line.
      this.#lineShift = Number(marker[1]) - 1 - this.#line
      return true
    }
    const directive = this.#match(PREPROCESSOR)
    if (!directive) return false
    this.#report(
      'dts-preprocessor',
      place,
      `#${directive[1]!} is a line for the C preprocessor; expected plain device-tree source`,
      'Run the C preprocessor first: cpp -nostdinc -undef -D__DTS__ -x assembler-with-cpp FILE, with -I for its includes.',
    )
    return true
  }
  // #endregion dts-lexer-blank

  // #region dts-lexer-quoted
  #quoted(at: Pick<Token, 'place' | 'offset' | 'value'>): Token | null {
    const quote = this.#source[this.#offset]
    if (quote !== '"' && quote !== "'") return null
    const text = this.#untilQuote(quote, at.place)
    const bytes = unescape(text)
    if (quote === '"') {
      const terminated = new Uint8Array(bytes.length + 1)
      terminated.set(bytes)
      return { kind: 'string', text, ...at, bytes: terminated }
    }
    if (bytes.length !== 1) {
      this.#report('dts-character', at.place, `'${text}' has ${bytes.length} bytes; expected one`)
    }
    return { kind: 'character', text, ...at, value: BigInt(bytes[0] ?? 0) }
  }

  // /include/ "file": whether there was one, and is passed.
  #include(): boolean {
    const place = this.#place()
    if (!this.#match(INCLUDE)) return false
    this.#skipBlank()
    const start = this.#offset
    if (this.#source[start] === '"') this.#untilQuote('"', this.#place())
    const name = this.#source.slice(start, Math.min(this.#offset, start + 80))
    this.#report(
      'dts-include',
      place,
      `/include/ ${name} is not supported yet; expected a source without it`,
      'Put the text of that file in its place.',
    )
    return true
  }

  // The text up to the closing quote, which is passed too. Strings may go over line ends, as in dtc.
  #untilQuote(quote: string, place: Place): string {
    const start = this.#offset + 1
    let end = start
    while (end < this.#source.length && this.#source[end] !== quote) end += this.#source[end] === '\\' ? 2 : 1
    const closed = end < this.#source.length
    if (!closed) {
      this.#cutShort = true
      this.#report(
        'dts-syntax',
        place,
        `the text that starts here has no end; expected ${quote}`,
        `Close it with ${quote}.`,
      )
    }
    this.#take(closed ? end + 1 : this.#source.length)
    return this.#source.slice(start, end)
  }
  // #endregion dts-lexer-quoted

  // #region dts-lexer-keyword
  #keyword(at: Pick<Token, 'place' | 'offset' | 'value'>): Token | null {
    const match = this.#match(KEYWORD)
    if (!match) return null
    const text = match[0]
    const namesFollow =
      text === '/delete-node/' || text === '/delete-property/' || text === '/omit-if-no-ref/'
    if (namesFollow) this.#state = 'name'
    else if (text === '/memreserve/' || text === '/bits/' || text === '/dts-v1/') this.#state = 'value'
    return { kind: 'keyword', text, ...at }
  }
  // #endregion dts-lexer-keyword

  // #region dts-lexer-word
  #nameOrNumber(at: Pick<Token, 'place' | 'offset' | 'value'>): Token | null {
    const label = this.#match(LABEL)
    if (label) return { kind: 'label', text: label[1]!, ...at }
    const reference = this.#match(REFERENCE)
    if (reference) return { kind: 'reference', text: (reference[1] ?? reference[2])!, ...at }
    if (this.#state === 'bytes') {
      const byte = this.#match(BYTE)
      return byte && { kind: 'byte', text: byte[0], ...at, value: BigInt(parseInt(byte[0], 16)) }
    }
    if (this.#state === 'name') {
      // A backslash keeps a name from being read as something else.
      const escaped = this.#source[this.#offset] === '\\'
      if (escaped) this.#take(this.#offset + 1)
      const name = this.#match(WORD)
      if (name) this.#state = 'value'
      if (name || escaped) return { kind: name ? 'name' : 'sign', text: name?.[0] ?? '\\', ...at }
      return null
    }
    const number = this.#match(NUMBER)
    if (number) return { kind: 'number', text: number[0], ...at, value: this.#number(number[1]!, at.place) }
    if (!/[a-zA-Z_]/.test(this.#source[this.#offset]!)) return null
    const word = this.#match(WORD)
    return word && { kind: 'word', text: word[0], ...at }
  }
  // #endregion dts-lexer-word

  // #region dts-lexer-number
  #number(digits: string, place: Place): bigint {
    const octal = /^0[0-9]+$/.test(digits)
    if (octal && /[89]/.test(digits)) {
      this.#report('dts-number', place, `${digits} starts with 0 and so is octal; expected digits 0 to 7`)
      return 0n
    }
    // BigInt() takes time with the square of the digits; these many are out of range whatever they are.
    const value = digits.length > 64 ? MAX_U64 + 1n : BigInt(octal ? '0o' + digits.slice(1) : digits)
    if (value <= MAX_U64) return value
    const shown = digits.length > 40 ? digits.slice(0, 40) + '…' : digits
    this.#report('dts-number', place, `${shown} is out of range; expected at most 0x${MAX_U64.toString(16)}`)
    return 0n
  }
  // #endregion dts-lexer-number

  // #region dts-lexer-sign
  #sign(at: Pick<Token, 'place' | 'offset' | 'value'>): Token {
    const text = this.#match(SIGN)![0]
    if (text === '[') this.#state = 'bytes'
    else if (text === ']' && this.#state === 'bytes') this.#state = 'value'
    else if (text === '{' || text === ';') this.#state = 'name'
    return { kind: 'sign', text, ...at }
  }
  // #endregion dts-lexer-sign

  // #region dts-lexer-place
  #place(): Place {
    return {
      file: this.#file,
      line: this.#line + this.#lineShift,
      column: this.#offset - this.#lineStart + 1,
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset
    const match = pattern.exec(this.#source)
    if (match) this.#take(this.#offset + match[0].length)
    return match
  }

  // Goes on to `offset`, counting the lines on the way. A line may be as long as the source, so its end is looked for once.
  #take(offset: number): void {
    this.#offset = Math.min(offset, this.#source.length)
    while (this.#lineEnd < this.#offset) {
      this.#line++
      this.#lineStart = this.#lineEnd + 1
      this.#lineEnd = lineEnd(this.#source, this.#lineStart)
    }
  }
  // #endregion dts-lexer-place
}
// #endregion dts-lexer

// #region dts-line-end
// Where the line that starts at `start` has its newline; past every offset when it is the last one.
function lineEnd(source: string, start: number): number {
  const newline = source.indexOf('\n', start)
  return newline < 0 ? Infinity : newline
}
// #endregion dts-line-end
