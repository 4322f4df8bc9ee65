// SPDX-License-Identifier: MIT
//
// Styles of a part that is loaded late come with it as text; a sheet that a script makes needs no exception in the policy.

export function useStyles(css: string): void {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  document.adoptedStyleSheets.push(sheet)
}
