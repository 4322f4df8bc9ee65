// SPDX-License-Identifier: MIT
//
// Stops the build on what an author wrote. The message has the file and the line, so the stack of our own calls, which
// Eleventy would print below it twice, is left out.
import { Complaint } from '../code/lib/complaint.ts'
import type { Diagnostic } from '../code/lib/diagnostic.ts'

export function refuse(diagnostics: Diagnostic[]): never {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    throw new Complaint({ text: '', diagnostics })
  } finally {
    Error.stackTraceLimit = limit
  }
}
