// SPDX-License-Identifier: MIT
//
// Whether the virtual board can run here, and if not, why.
import { missingTools } from '../../code/lab/tools.ts'

/** What is not installed, for the name of a skipped suite; null when the board can run. */
export function boardIsMissing(): string | null {
  const missing = missingTools(['board']).map((tool) => tool.package)
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`
}
