// SPDX-License-Identifier: MIT
//
// Two ways to press what a page offers, and no third: the keyboard alone, from wherever the focus is, and a finger on a
// phone. What neither can reach is a fault of the page.
import type { BrowserContextOptions, Locator, Page } from 'playwright-core'

export interface Hand {
  readonly name: string
  readonly context: BrowserContextOptions
  /** Brings the control to hand and presses it. Throws when it cannot be reached, or is reached without being seen. */
  press(target: Locator): Promise<void>
  /** The same for a field, which is then ready for text. */
  enter(field: Locator): Promise<void>
  /** Goes down the page by about a window. */
  scroll(page: Page): Promise<void>
  search(page: Page): Promise<void>
}

/** More stops than the longest chapter has. */
const STOPS = 800

const isFocused = (element: Element): boolean =>
  (element.getRootNode() as Document | ShadowRoot).activeElement === element

function whyUnseen(element: Element): string {
  const { top, bottom } = element.getBoundingClientRect()
  if (top >= innerHeight || bottom <= 0) return `at ${Math.round(top)} px, outside the window`
  const { outlineStyle, boxShadow } = getComputedStyle(element)
  // A field shows its caret.
  const ring = outlineStyle !== 'none' || boxShadow !== 'none' || element.matches('input, [contenteditable]')
  return ring ? '' : 'without a ring'
}

async function tabTo(target: Locator): Promise<void> {
  const page = target.page()
  await target.waitFor()
  const said = (await target.textContent()) ?? ''
  for (let stop = 0; stop < STOPS && !(await target.evaluate(isFocused)); stop += 1)
    await page.keyboard.press('Tab')
  if (!(await target.evaluate(isFocused))) throw new Error(`${STOPS} times Tab do not reach “${said.trim()}”`)
  let hidden = await target.evaluate(whyUnseen)
  // The window may be on its way there.
  for (let moments = 0; hidden && moments < 10; moments += 1) {
    await page.waitForTimeout(100)
    hidden = await target.evaluate(whyUnseen)
  }
  if (hidden) throw new Error(`“${said.trim()}” has the focus, ${hidden}`)
}

/** Tab to it, then Enter. */
export const KEYBOARD: Hand = {
  name: 'keyboard',
  context: { viewport: { width: 1300, height: 900 } },
  async press(target) {
    await tabTo(target)
    await target.page().keyboard.press('Enter')
  },
  enter: tabTo,
  scroll: (page) => page.keyboard.press('PageDown'),
  search: (page) => page.keyboard.press('/'),
}

/** The least side of what a finger is asked to hit, or of the line of text that it stands in; WCAG 2.5.8. Unit: CSS pixels. */
const TARGET = 24

async function mustFit(target: Locator): Promise<void> {
  await target.waitFor()
  const small = await target.evaluate((element, least) => {
    const { width, height } = element.getBoundingClientRect()
    const inText = getComputedStyle(element).display === 'inline'
    return !inText && (width < least || height < least) ? `${width} × ${height}` : ''
  }, TARGET)
  if (small) throw new Error(`“${await target.textContent()}” is ${small} CSS pixels large`)
}

async function tap(target: Locator): Promise<void> {
  await mustFit(target)
  await target.tap()
}

/** A finger on a phone of 390 px. */
export const FINGER: Hand = {
  name: 'touch',
  context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  press: tap,
  enter: tap,
  async scroll(page) {
    // A finger that pulls the page up: what Playwright has no word for.
    const session = await page.context().newCDPSession(page)
    await session.send('Input.synthesizeScrollGesture', { x: 195, y: 600, yDistance: -600, speed: 3000 })
    await session.detach()
  },
  search: (page) => tap(page.locator('.search')),
}
