// SPDX-License-Identifier: MIT
//
// The words of the page's side of reading offline.
import { lateWords } from '../client/late_words.ts'
import type { OfflineWords } from '../text/en_offline.ts'

export const offlineWords = (): Promise<OfflineWords> =>
  lateWords('offline', { en: async () => (await import('../text/en_offline.ts')).offline })
