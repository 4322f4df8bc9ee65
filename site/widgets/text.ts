// SPDX-License-Identifier: MIT
//
// The words of the widgets come when a widget wakes, and not with every page.
import { lateWords } from '../client/late_words.ts'
import type { WidgetText } from '../text/en_widgets.ts'

export const widgetText = (): Promise<WidgetText> =>
  lateWords('widgets', { en: async () => (await import('../text/en_widgets.ts')).enWidgets })
