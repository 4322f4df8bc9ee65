// SPDX-License-Identifier: MIT
//
// The parser's place among the tokens: one token of foresight, the errors that speak of it, and the way on after one.

// #region dts-cursor-imports
import { DtsLexer, type Place, type Report, type Token } from './dts_lexer.ts'
import type { Labels } from './dts_source_tree.ts'
import { MAX_NAME } from './tree.ts'
// #endregion dts-cursor-imports

// #region dts-cursor-errors
/** Thrown to leave one statement; what is wrong with it has been reported. */
export class BadStatement extends Error {}

/** Thrown to stop at once; why has been reported. */
export class Stop extends Error {}

/** Tells `text` at `place` under `dts-limit`, and stops. */
export function stop(report: Report, place: Place, text: string): never {
  report('dts-limit', place, text)
  throw new Stop()
}
// #endregion dts-cursor-errors

// #region dts-cursor
/** The tokens of a source, the next one in `token`. `file` names the source in what is reported. */
export class DtsCursor {
  readonly report: Report
  readonly file: string
  readonly #lexer: DtsLexer
  #token: Token
  // The line on which the token before the next one began.
  #lastLine = 0
  #gaveUp = false

  constructor(source: string, file: string, report: Report) {
    this.report = report
    this.file = file
    this.#lexer = new DtsLexer(source, file, report)
    this.#token = this.#lexer.next()
  }

  // #region dts-cursor-ask
  /** Whether some statement was given up, so that the rest is not the whole. */
  get gaveUp(): boolean {
    return this.#gaveUp
  }

  /** Whether the next token stands on another line than the one before it. */
  get atNewLine(): boolean {
    return this.#token.place.line !== this.#lastLine
  }

  /** The next token. */
  get token(): Token {
    return this.#token
  }

  /** Steps past the next token, and gives it. */
  advance(): Token {
    const token = this.#token
    if ((token.kind === 'name' || token.kind === 'label') && token.text.length > MAX_NAME) {
      stop(
        this.report,
        token.place,
        `a name has ${token.text.length} characters; expected at most ${MAX_NAME}`,
      )
    }
    this.#lastLine = token.place.line
    this.#token = this.#lexer.next()
    return token
  }
  // #endregion dts-cursor-ask

  // #region dts-cursor-unexpected
  /** Reports that `what` was expected where the next token stands, and gives up on the statement. */
  unexpected(what: string, note?: string): never {
    const atEnd = this.#token.kind === 'end'
    // An open text has swallowed the rest, and has been told.
    if (!atEnd || !this.#lexer.cutShort) {
      this.report('dts-syntax', this.#token.place, `${shownToken(this.#token)}; expected ${what}`, note)
    }
    throw atEnd ? new Stop() : new BadStatement()
  }
  // #endregion dts-cursor-unexpected

  // #region dts-cursor-signs
  /** Whether the next token is the operator or character `text`. */
  isSign(text: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === text
  }

  /** Whether the next token is the keyword `text`, slashes included. */
  isKeyword(text: string): boolean {
    return this.#token.kind === 'keyword' && this.#token.text === text
  }

  /** Steps past the sign `text`, which follows `after`; reports and gives up on the statement when it is not there. */
  takeSign(text: string, after: string): void {
    if (!this.isSign(text)) this.unexpected(`${text} after ${after}`)
    this.advance()
  }
  // #endregion dts-cursor-signs

  // #region dts-cursor-semicolon
  /** Steps past a semicolon. One that is missing at the end of a line is told, and taken as if it were there. */
  takeSemicolon(after: string): void {
    if (this.isSign(';')) {
      this.advance()
      return
    }
    const note = `Put a ; at the end of line ${this.#lastLine}.`
    if (this.#token.kind === 'end') this.unexpected(`; after ${after}`, note)
    if (!this.atNewLine && !this.isSign('}')) this.unexpected(`; after ${after}`)
    this.report(
      'dts-syntax',
      this.#token.place,
      `${shownToken(this.#token)}; expected ; after ${after}`,
      note,
    )
    this.#lexer.againAsName(this.#token)
    this.#token = this.#lexer.next()
  }
  // #endregion dts-cursor-semicolon

  // #region dts-cursor-statement
  // After an error: to behind the next semicolon of this level, or in front of the brace that closes it.
  #skipStatement(): void {
    for (let depth = 0; this.#token.kind !== 'end';) {
      if (this.isSign('{')) depth++
      else if (this.isSign('}') && depth-- === 0) return
      const last = this.advance()
      if (last.kind === 'sign' && last.text === ';' && depth <= 0) return
    }
  }

  /** Runs `read`; when it gives up on its statement, goes on behind that. */
  statement(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof BadStatement)) throw error
      this.#gaveUp = true
      this.#skipStatement()
    }
  }
  // #endregion dts-cursor-statement

  // #region dts-cursor-labels
  /** Steps past labels, `here: there:`, and gives them. */
  readLabels(): Labels {
    const labels: Labels = new Map()
    while (this.#token.kind === 'label') {
      const { text, place } = this.advance()
      if (!labels.has(text)) labels.set(text, place)
    }
    return labels
  }
  // #endregion dts-cursor-labels
}
// #endregion dts-cursor

// #region dts-cursor-words
/** What to call a token in an error: `found }`. */
export function shownToken({ kind, text }: Token): string {
  if (kind === 'end') return 'the file ends here'
  const cut = text.length > 40 ? text.slice(0, 40) + '…' : text
  if (kind === 'string') return `found ${JSON.stringify(cut)}`
  if (kind === 'reference') return cut.startsWith('/') ? `found &{${cut}}` : `found &${cut}`
  return `found ${kind === 'label' ? cut + ':' : kind === 'character' ? `'${cut}'` : cut}`
}
// #endregion dts-cursor-words
