// SPDX-License-Identifier: MIT
//
// The words of the page's side of reading offline, in the page's language.
import type { OfflineWords } from '../text/en_offline.ts'

const LANGUAGES: Record<string, () => Promise<{ offline: OfflineWords }>> = {
  en: () => import('../text/en_offline.ts'),
}

/** Rejects when there is no text for the page's language, or when it could not be had. */
export async function offlineWords(): Promise<OfflineWords> {
  const { lang } = document.documentElement
  const load = LANGUAGES[lang]
  if (!load) throw new Error(`offline: no words in the language "${lang}" of ${location.pathname}`)
  return (await load()).offline
}
