// SPDX-License-Identifier: MIT
//
// The strip over an open editor when there is more than one version of its code: the book's, the reader's, one that came
// with a link. One button each, the one that is open pressed, and a sentence that says why.

export type Version = 'book' | 'yours' | 'link'

export interface Choice {
  readonly version: Version
  readonly label: string
}

/** Fills `strip`; with nothing to say it is hidden. */
export function showVersions(
  strip: HTMLElement,
  text: string,
  choices: readonly Choice[],
  open: Version,
  pick: (version: Version) => void,
): void {
  const sentence = document.createElement('p')
  sentence.textContent = text
  const buttons = choices.map(({ version, label }) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = label
    button.dataset['version'] = version
    button.setAttribute('aria-pressed', String(version === open))
    button.addEventListener('click', () => pick(version))
    return button
  })
  strip.replaceChildren(sentence, ...buttons)
  strip.hidden = text === ''
}

/** Says which of the strip's versions is open now. */
export function pressVersion(strip: HTMLElement, open: Version): void {
  for (const button of strip.querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset['version'] === open))
  }
}
