// SPDX-License-Identifier: MIT
//
// The words of the weave. A *region* is a named piece of a source file; a *fence* is the place in a chapter that shows
// it; a *listing* is what the reader sees there. `loadWeave(root)` in weave.ts gives a `Weave`, `checkWeave(root)` in
// check.ts says everything that is wrong with it.
import type { Diagnostic } from '../../code/lib/diagnostic.ts'

/** The languages that are woven, as a fence names them. */
export type WovenLanguage = 'ts' | 'c' | 'dts' | 'make'

export interface Region {
  readonly name: string
  /** Path from the project's root. */
  readonly file: string
  /** 1-based line of the `#region` marker. */
  readonly startLine: number
  /** 1-based line of the `#endregion` marker. */
  readonly endLine: number
  readonly parent: string | null
  /** The regions directly inside this one, in the order of the file. */
  readonly children: readonly string[]
}

export interface SourceFile {
  readonly file: string
  readonly lang: WovenLanguage
  readonly lines: readonly string[]
  /** In the order in which they open. */
  readonly regions: readonly Region[]
}

export interface Chapter {
  /** null for an appendix. */
  readonly number: number | null
  readonly slug: string
  /** Of its page, whether that is written or not. */
  readonly url: string
  readonly title: string
  readonly summary: string
  /** Title of the part; null for an appendix. */
  readonly part: string | null
  /** `chapters/<slug>/index.md`, or `chapters/<slug>.md` for an appendix that is one page; of a translation, below its folder. */
  readonly file: string
  /** True while there is no such file. */
  readonly planned: boolean
  /** The text, front matter included; empty while planned. */
  readonly markdown: string
  readonly fences: readonly Fence[]
}

/** ` ```ts weave=name {4-5} `, ` ```ts weave=name fold="What it holds." ` or ` ```ts recall=name `. */
export interface Fence {
  readonly kind: 'weave' | 'recall'
  readonly name: string
  readonly lang: string
  readonly file: string
  /** 1-based line of the opening fence, and 1-based column of `weave=` or `recall=`. */
  readonly line: number
  readonly column: number
  /** Lines of the listing to highlight, 1-based, sorted. */
  readonly highlight: readonly number[]
  /** What a folded listing holds, in a sentence that stands in its place; null when it is shown. */
  readonly fold: string | null
  /** What stands between the fences: nothing, if all is well. */
  readonly content: string
}

export interface Hole {
  /** 1-based line of the listing; that line of `text` is a comment holding `⟨name⟩`, to be shown as a link. */
  readonly line: number
  readonly name: string
}

export interface Listing {
  readonly region: string
  readonly file: string
  /** First and last line of the source that the listing stands for, nested regions included. */
  readonly startLine: number
  readonly endLine: number
  readonly lang: WovenLanguage
  /** Dedented, without markers, without blank lines at either end, no newline at its end. */
  readonly text: string
  /** The source line behind each line of `text`; for a hole, the line of the nested region's marker. */
  readonly sourceLines: readonly number[]
  readonly holes: readonly Hole[]
  /** Names that the region's own lines export (for links to the TypeDoc pages). */
  readonly symbols: readonly string[]
  /** Where it is woven; null while no chapter tells it. */
  readonly chapter: Chapter | null
  /** The id of the listing in its chapter: `listing-<region>`. A recall links to it and has no id. */
  readonly anchor: string
}

/** Where a line of a source file is told. */
export interface Place {
  readonly region: string
  readonly chapter: Chapter
  readonly anchor: string
}

export interface Ledger {
  readonly why: string
  /** File → slug of the chapter or appendix that will tell it. */
  readonly files: Readonly<Record<string, string>>
}

export interface Weave {
  readonly root: string
  readonly title: string
  /** Chapters in the order of the book, then appendices; planned ones too. */
  readonly chapters: readonly Chapter[]
  /** Of a translation: those of the first language, which tell what the translation does not tell yet. */
  readonly original: readonly Chapter[]
  /** Every file that must be woven, sorted. */
  readonly files: readonly SourceFile[]
  readonly regions: ReadonlyMap<string, Region>
  readonly ledger: Ledger
  /** What was wrong while reading; `checkWeave` adds the rest. */
  readonly diagnostics: readonly Diagnostic[]
  /** Throws on a name that no file holds. */
  listing(name: string): Listing
  /** 1-based line → where it is told; lines that no chapter tells are absent. */
  placesOf(file: string): ReadonlyMap<number, Place>
}
