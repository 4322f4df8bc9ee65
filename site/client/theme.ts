// SPDX-License-Identifier: MIT
//
// Light or dark. Loaded in the head and not deferred, so that the choice stands before anything is painted. Without a
// choice, or without JavaScript, the system's preference holds.
const KEY = 'theme'
const html = document.documentElement

try {
  const chosen = localStorage.getItem(KEY)
  if (chosen === 'light' || chosen === 'dark') html.dataset['theme'] = chosen
} catch {
  // Storage may be refused: then the choice lasts as long as the page.
}

addEventListener('DOMContentLoaded', () => {
  const button = document.querySelector<HTMLButtonElement>('.theme')
  if (!button) return
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const isDark = (): boolean => (html.dataset['theme'] ?? (dark.matches ? 'dark' : 'light')) === 'dark'
  const show = (): void => {
    button.textContent = (isDark() ? button.dataset['dark'] : button.dataset['light']) ?? ''
    button.dataset['ready'] = ''
  }
  button.addEventListener('click', () => {
    html.dataset['theme'] = isDark() ? 'light' : 'dark'
    try {
      localStorage.setItem(KEY, html.dataset['theme'])
    } catch {
      // As above.
    }
    show()
  })
  dark.addEventListener('change', show)
  show()
})
