// SPDX-License-Identifier: MIT
//
// Style sheets of the course for programs that know neither variables nor light-dark(): every `var(--x)` becomes the
// value that site/css/tokens.css gives it, in the light scheme.
import { readText } from '../paths.ts'

const inLight = (css: string): string => css.replace(/light-dark\(([^,]+),[^)]*\)/g, '$1')

function lightTokens(): ReadonlyMap<string, string> {
  const root = /:root \{([\s\S]*?)\n\}/.exec(readText('site/css/tokens.css'))?.[1] ?? ''
  return new Map(
    [...root.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [
      name,
      inLight(value).replace(/\s+/g, ' '),
    ]),
  )
}

/** The style sheet `file` in the light scheme. @throws Error for a variable that tokens.css does not give */
export function lightCss(file: string): string {
  const tokens = lightTokens()
  const resolve = (css: string): string =>
    css.replace(/var\(--([\w-]+)\)/g, (_whole, name: string) => {
      const value = tokens.get(name)
      if (value === undefined) throw new Error(`${file}: var(--${name}) is not in site/css/tokens.css`)
      return resolve(value)
    })
  return resolve(inLight(readText(file)))
}
