// SPDX-License-Identifier: MIT
//
// The date of an edition: never the clock's, so that the same sources make the same bytes.
import { spawnSync } from 'node:child_process'
import { root } from '../paths.ts'

/** SOURCE_DATE_EPOCH, else the date of the last commit, else (sources without a history) the first of January 2026. */
export function editionDate(): Date {
  const given = process.env['SOURCE_DATE_EPOCH']
  const asked =
    given ?? spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).stdout
  const seconds = Number.parseInt(asked ?? '', 10)
  return Number.isNaN(seconds) ? new Date(Date.UTC(2026, 0, 1)) : new Date(seconds * 1000)
}
