// SPDX-License-Identifier: MIT
//
// Every claim of the book about 6.1 and 6.12 against Debian's sources of both: the path is there, the symbol occurs in it,
// the log text occurs in it.
import { expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { formatDiagnostic } from '../../code/lib/diagnostic.ts'
import { readClaims } from '../../site/claims/claims.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { checkClaimsInSources } from '../../verify/claims.ts'
import { root } from '../support/files.ts'
import { tellStderr } from '../support/kernel_source.ts'

it(
  'checkClaimsInSources() finds every claim borne out by 6.1 and 6.12',
  { timeout: 900_000 },
  async (context) => {
    const claims = readClaims(root, readChapters(root).chapters)
    try {
      const { assertions, diagnostics } = await checkClaimsInSources(claims, tellStderr)
      expect(assertions).toBeGreaterThan(10)
      expect(diagnostics.map(formatDiagnostic).join('\n')).toBe('')
    } catch (error) {
      if (error instanceof Complaint && error.exitCode === 4) context.skip(error.message)
      throw error
    }
  },
)
