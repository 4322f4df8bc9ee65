// SPDX-License-Identifier: MIT
//
// What happened, for readers of a screen: one live region a page, made when first needed.
let region: HTMLElement | null = null

export function announce(text: string): void {
  if (!region) {
    region = document.createElement('p')
    region.className = 'hidden'
    region.setAttribute('role', 'status')
    document.body.append(region)
  }
  region.textContent = ''
  // A region that was just put in, or that says the same again, is not read unless its text changes a moment later.
  setTimeout(() => {
    if (region) region.textContent = text
  }, 60)
}
