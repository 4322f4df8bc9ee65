// SPDX-License-Identifier: MIT
//
// The machine's own Debian sources, read so that a private apt can use the same mirrors. Both spellings are known: one
// line a source (.list) and paragraphs (.sources). Only Debian's own are taken, without their limits to an architecture:
// third-party archives have nothing for a lab.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'

export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** One source as a paragraph: its fields in the order read, names as Debian spells them. */
type Stanza = ReadonlyMap<string, string>

const OPTION_FIELDS: Readonly<Record<string, string>> = {
  'signed-by': 'Signed-By',
  trusted: 'Trusted',
  'check-valid-until': 'Check-Valid-Until',
  'check-date': 'Check-Date',
  'by-hash': 'By-Hash',
}
const TAKEN = ['Types', 'URIs', 'Suites', 'Components', ...Object.values(OPTION_FIELDS)]

// `deb [signed-by=/k arch=amd64] http://… bookworm main contrib`
function fromLine(line: string): Stanza | null {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line)
  if (!match) return null
  const [, options = '', uri = '', suite = '', components = ''] = match
  const stanza = new Map([
    ['Types', 'deb'],
    ['URIs', uri],
    ['Suites', suite],
  ])
  if (components.trim()) stanza.set('Components', components.trim())
  for (const option of options.split(/\s+/)) {
    const [key = '', value = ''] = option.split('=')
    const field = OPTION_FIELDS[key.toLowerCase()]
    if (field) stanza.set(field, value)
  }
  return stanza
}

function fromParagraph(paragraph: string): Stanza | null {
  const fields = new Map<string, string>()
  let name = ''
  for (const line of paragraph.split('\n')) {
    if (line.startsWith('#')) continue
    const field = /^([\w-]+):\s*(.*)$/.exec(line)
    if (field) {
      name = field[1] ?? ''
      fields.set(name.toLowerCase(), field[2] ?? '')
    } else if (name && /^\s/.test(line)) {
      fields.set(name.toLowerCase(), `${fields.get(name.toLowerCase()) ?? ''}\n${line}`)
    }
  }
  if (fields.get('enabled')?.toLowerCase() === 'no') return null
  if (!fields.get('types')?.split(/\s+/).includes('deb')) return null
  const stanza = new Map<string, string>()
  for (const field of TAKEN) {
    const value = fields.get(field.toLowerCase())
    if (value !== undefined) stanza.set(field, field === 'Types' ? 'deb' : value)
  }
  return stanza
}

/** Whether a source is Debian's own for this release: by suite, component and, where one is named, by its keyring. */
function isDebian(stanza: Stanza, codename: string): boolean {
  const suites = (stanza.get('Suites') ?? '').split(/\s+/).filter(Boolean)
  const known = new RegExp(`^(${codename}|stable|oldstable)(-(updates|security|backports)|/updates)?$`)
  if (suites.length === 0 || !suites.every((suite) => known.test(suite))) return false
  if (!(stanza.get('Components') ?? '').split(/\s+/).includes('main')) return false
  const key = stanza.get('Signed-By')
  return key === undefined || key.includes('\n') || key.includes('debian')
}

/** Debian's own sources among `files`, as text for one .sources file. Empty when there is none. */
export function debianSources(files: readonly SourceFile[], codename: string): string {
  const stanzas = files.flatMap(({ path, text }) =>
    path.endsWith('.sources') ? text.split(/\n\s*\n/).map(fromParagraph) : text.split('\n').map(fromLine),
  )
  return stanzas
    .filter((stanza) => stanza !== null)
    .filter((stanza) => isDebian(stanza, codename))
    .map((stanza) => [...stanza].map(([field, value]) => `${field}: ${value}\n`).join(''))
    .join('\n')
}

/** The source files of this machine. */
export function sourceFiles(etc = '/etc/apt'): SourceFile[] {
  const parts = join(etc, 'sources.list.d')
  const names = existsSync(parts) ? readdirSync(parts).sort() : []
  return [join(etc, 'sources.list'), ...names.map((name) => join(parts, name))]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}

/** This machine's Debian sources. @throws Complaint (4) when the machine has none, so has no Debian to ask */
export function hostSources(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1]?.replaceAll('"', '') ?? 'stable'
  const sources = debianSources(sourceFiles(), codename)
  if (sources) return sources
  throw new Complaint({
    text: `no Debian source for ${codename} in /etc/apt/sources.list or /etc/apt/sources.list.d: there is no mirror to get a kernel from`,
    exitCode: 4,
    next: ['a lab needs a Debian machine (12, bookworm) with its package sources'],
  })
}
