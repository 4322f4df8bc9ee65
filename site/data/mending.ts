// SPDX-License-Identifier: MIT
//
// Where a reader mends a page or reports a mistake: the publisher's repository, which this tree does not know. Its addresses
// are `config.editUrl` and `config.reportUrl` in package.json, or CONTIG_EDIT_URL and CONTIG_REPORT_URL, with `{file}` for the
// path of the page's source. Where one is not set, its link is not shown.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../../code/lib/complaint.ts'

export interface Mending {
  /** Empty when the publisher gave none. */
  readonly edit: string
  readonly report: string
}

const PLACES = {
  edit: { key: 'editUrl', variable: 'CONTIG_EDIT_URL', needsFile: true },
  report: { key: 'reportUrl', variable: 'CONTIG_REPORT_URL', needsFile: false },
} as const

/** The template of one link, checked; empty when there is none. */
function templateOf(place: (typeof PLACES)[keyof typeof PLACES], config: Record<string, string>): string {
  const { key, variable, needsFile } = place
  const fromEnvironment = process.env[variable]
  const template = fromEnvironment ?? config[key] ?? ''
  const name = fromEnvironment === undefined ? `package.json: config.${key}` : variable
  const wanted = needsFile ? 'an https address with {file} in it' : 'an https address'
  if (template !== '' && (!template.startsWith('https://') || (needsFile && !template.includes('{file}')))) {
    throw new Complaint({
      text: `${name} is '${template}', expected ${wanted}`,
      exitCode: 2,
      next: [`For one: https://example.org/contiguous/edit/main/{file}`],
    })
  }
  return template
}

/** Templates of the links, read once a build. */
export function readMending(root: string): Mending {
  const { config = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    config?: Record<string, string>
  }
  return { edit: templateOf(PLACES.edit, config), report: templateOf(PLACES.report, config) }
}

/** The links for the page whose source is `file`, given from the project's root. */
export function mendingOf(templates: Mending, file: string): Mending {
  const path = file.split('/').map(encodeURIComponent).join('/')
  return {
    edit: templates.edit.replaceAll('{file}', path),
    report: templates.report.replaceAll('{file}', path),
  }
}
