// SPDX-License-Identifier: MIT
//
// The words of the parts that are loaded late, in the page's language.
import type { FindingWords } from '../text/en_finding.ts'

const LANGUAGES: Record<string, () => Promise<{ finding: FindingWords }>> = {
  en: () => import('../text/en_finding.ts'),
}

export async function findingWords(): Promise<FindingWords> {
  const { lang } = document.documentElement
  const load = LANGUAGES[lang]
  if (!load) throw new Error(`finding: no words in the language "${lang}" of ${location.pathname}`)
  return (await load()).finding
}
