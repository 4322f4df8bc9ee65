// SPDX-License-Identifier: MIT
//
// hints.md: three steps under the headings `## 1`, `## 2`, `## 3`. The first says where to look, the second what is
// wrong there, the third what to write.

export const HINTS = 3

/** The steps in a hints.md, trimmed; an empty step is an empty string. Anything but 1, 2, 3 in order gives fewer. */
export function parseHints(text: string): string[] {
  const parts = text.split(/^## (\d+)[^\n]*$/m)
  const steps: string[] = []
  for (let i = 1; i + 1 < parts.length; i += 2) {
    if (Number(parts[i]) !== steps.length + 1) break
    steps.push(parts[i + 1]!.trim())
  }
  return steps
}
