// SPDX-License-Identifier: MIT
//
// Search: a field, and below it what was found, chosen with the arrow keys while the focus stays in the field (a combobox
// with a list box). The index is fetched when it is first opened.
import { type Index, LIMIT, loadIndexSlowly, search } from '../search/engine.ts'
import css from './search_dialog.css'
import { element } from './element.ts'
import { findingWords } from './finding_words.ts'
import { optionOf } from './search_option.ts'
import { makeSheet } from './sheet.ts'
import { siteUrl } from './site_url.ts'
import { useStyles } from './styles.ts'
import { fill } from './words.ts'

useStyles(css)
const words = (await findingWords()).search
/** A result that only ever says how many would be read at each key. */
const SAY_AFTER_MS = 500

const field = element('input', {
  type: 'text',
  id: 'search-field',
  autocomplete: 'off',
  autocapitalize: 'none',
  spellcheck: false,
  placeholder: words.placeholder,
  enterKeyHint: 'go',
})
const list = element('div', { id: 'search-list' })
const status = element('p', { className: 'status' })
const said = element('p', { className: 'hidden' })
const sheet = makeSheet('finder', words.title, words.close, field, status, said, list)

list.setAttribute('role', 'listbox')
list.setAttribute('aria-label', words.title)
said.setAttribute('role', 'status')
for (const [name, value] of Object.entries({
  role: 'combobox',
  'aria-controls': list.id,
  'aria-expanded': 'false',
  'aria-autocomplete': 'list',
  'aria-labelledby': 'finder-title',
}))
  field.setAttribute(name, value)

let index: Index | null = null
let loading: Promise<void> | null = null
let active = -1
let saying: ReturnType<typeof setTimeout> | undefined

function tell(text: string, soon = false): void {
  status.textContent = text
  clearTimeout(saying)
  saying = setTimeout(() => (said.textContent = text), soon ? 0 : SAY_AFTER_MS)
}

async function load(): Promise<void> {
  tell(words.loading, true)
  try {
    const response = await fetch(siteUrl(`data/search.${document.documentElement.lang}.json`))
    if (!response.ok) throw new Error(`the index: ${response.status}`)
    index = await loadIndexSlowly(await response.text())
    answer()
  } catch (error) {
    console.warn(error)
    loading = null
    tell(words.failed, true)
    const again = element('button', { type: 'button' }, words.retry)
    again.addEventListener('click', () => (loading ??= load()))
    status.append(' ', again)
  }
}

function activate(next: number): void {
  const options = list.children
  options[active]?.setAttribute('aria-selected', 'false')
  active = options.length === 0 ? -1 : (next + options.length) % options.length
  const option = options[active]
  option?.setAttribute('aria-selected', 'true')
  option?.scrollIntoView({ block: 'nearest' })
  if (option) field.setAttribute('aria-activedescendant', option.id)
  else field.removeAttribute('aria-activedescendant')
}

function count(found: number): string {
  if (found === 0) return fill(words.none, { query: field.value.trim() })
  if (found === 1) return words.one
  return fill(found === LIMIT ? words.first : words.many, { count: found })
}

function answer(): void {
  if (!index) return
  const found = search(index, field.value)
  list.replaceChildren(...found.map((each, at) => optionOf(each, at, field.value, words.kinds)))
  list.scrollTop = 0
  field.setAttribute('aria-expanded', String(found.length > 0))
  active = -1
  activate(0)
  tell(field.value.trim() === '' ? words.hint : count(found.length))
}

field.addEventListener('input', answer)
field.addEventListener('keydown', (event) => {
  if (event.isComposing) return
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key]
  if (step !== undefined) activate(active + step)
  else if (event.key === 'Enter') (list.children[active] as HTMLElement | undefined)?.click()
  else return
  event.preventDefault()
})
// A result on this very page is reached without leaving it.
list.addEventListener('click', (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) sheet.close()
})

export function open(): void {
  if (sheet.open) return
  sheet.showModal()
  field.select()
  if (index) answer()
  loading ??= load()
}
