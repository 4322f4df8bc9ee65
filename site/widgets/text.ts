// SPDX-License-Identifier: MIT
//
// The words of the widgets come when a widget wakes, in the language of the page, and not with every page.
import type { WidgetText } from '../text/en_widgets.ts'

const LANGUAGES: Readonly<Record<string, () => Promise<WidgetText>>> = {
  en: async () => (await import('../text/en_widgets.ts')).enWidgets,
}

/** Throws when there is no text for the page's language. */
export function widgetText(): Promise<WidgetText> {
  const { lang } = document.documentElement
  const load = LANGUAGES[lang]
  if (!load)
    throw new Error(`widgets: no words for lang="${lang}", expected one of ${Object.keys(LANGUAGES)}`)
  return load()
}
