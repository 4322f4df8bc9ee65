// SPDX-License-Identifier: MIT
//
// The languages of the course, the first of which is the one it is written in:
//
//   words of the pages    site/text/<lang>.ts            pages of the first language   /02-carving-memory-out/
//   texts                 chapters/, chapters/<lang>/    pages of another              /<lang>/02-carving-memory-out/
//
// Sources, API, coverage and licences are pages of the first language alone; ARCHITECTURE.md says how to add another.
import { en, type SiteText } from './text/en.ts'

export type { SiteText }

/** Every language, by its words. */
export const LANGUAGES: readonly [SiteText, ...SiteText[]] = [en]

/** The language in which every page exists. */
export const FIRST: SiteText = LANGUAGES[0]

/** The folder of a language below chapters/, and of its pages below the site's top: empty for the first. */
export function languageFolder(text: SiteText): string {
  return text.lang === FIRST.lang ? '' : `${text.lang}/`
}

/** The language of that code; the first for one that is not ours. */
export function languageNamed(lang: string): SiteText {
  return LANGUAGES.find((text) => text.lang === lang) ?? FIRST
}

/** The language that a file of chapters/ is written in: `chapters/zh/notes.md` says zh. */
export function languageOf(file: string): SiteText {
  return languageNamed(/(?:^|\/)chapters\/([^/]+)\//.exec(file)?.[1] ?? '')
}

/** The attribute of what stands in a page of `text` and is in the first language all the same: claims, exercises. */
export function untranslated(text: SiteText): string {
  return text.lang === FIRST.lang ? '' : ` lang="${FIRST.lang}"`
}
