// SPDX-License-Identifier: MIT
//
// apt with a state of its own: it knows the guest's architecture and this machine's, reads this machine's Debian sources and
// settings (a proxy, say), and touches nothing of the machine's: not its architecture list, nor its package lists, nor
// the hooks that its apt would run.
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Command, CommandFailed, type Step } from './command.ts'
import { execute } from './execute.ts'
import type { GuestArch } from './kernels.ts'

const UPDATE_LIMIT_S = 300
const DOWNLOAD_LIMIT_S = 1800

/** The architecture that programs of this machine have, as Debian calls it. */
export const hostArch = (): string => (process.arch === 'arm64' ? 'arm64' : 'amd64')

/** A guest's architecture as Debian calls it. */
export const DEBIAN_ARCH: Readonly<Record<GuestArch, string>> = { arm64: 'arm64', arm: 'armhf' }

function aptConf(folder: string, guest: GuestArch): string {
  const archs = [...new Set([DEBIAN_ARCH[guest], hostArch()])].map((arch) => `"${arch}";`).join(' ')
  return [
    // The machine's own settings were read before this file: what would act on the machine is taken out again.
    ...['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success'].map((hook) => `#clear APT::Update::${hook};`),
    '#clear APT::Architectures;',
    `APT::Architecture "${DEBIAN_ARCH[guest]}";`,
    `APT::Architectures { ${archs} };`,
    'APT::Sandbox::User "root";',
    'APT::Update::Error-Mode "any";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    // Images of containers switch apt's own caches off, which costs seconds at each question.
    'Acquire::GzipIndexes "false";',
    'Dir::Cache::pkgcache "pkgcache.bin";',
    'Dir::Cache::srcpkgcache "srcpkgcache.bin";',
    'Acquire::http::Timeout "20";',
    `Dir::State "${join(folder, 'state')}";`,
    `Dir::State::status "${join(folder, 'status')}";`,
    `Dir::Cache "${join(folder, 'cache')}";`,
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${join(folder, 'sources')}";`,
    '',
  ].join('\n')
}

// Of armhf a lab takes busybox alone, for a guest without a network: its security updates are not asked for, and a mirror
// that lags behind with them (one was seen to, for days) does no harm. Packages for any architecture come with the others.
function sourcesFor(sources: string, guest: GuestArch): string {
  if (DEBIAN_ARCH[guest] !== 'armhf') return sources
  const limited = (paragraph: string): string =>
    /^Suites:.*security/m.test(paragraph)
      ? `${paragraph.trimEnd()}\nArchitectures: ${hostArch()}\n`
      : paragraph
  return sources
    .split(/\n\s*\n/)
    .map(limited)
    .join('\n\n')
}

const confOf = (folder: string): string => join(folder, 'apt.conf')

/** Sets a private apt up in `folder` and has it read its mirrors. */
export function privateAptStep(folder: string, sources: string, guest: GuestArch = 'arm64'): Step {
  return {
    title: 'ask Debian which packages there are',
    commands: [
      { do: 'mkdir', path: join(folder, 'state/lists/partial') },
      { do: 'mkdir', path: join(folder, 'cache/archives/partial') },
      { do: 'mkdir', path: join(folder, 'sources') },
      { do: 'write', path: join(folder, 'status'), text: '' },
      { do: 'write', path: join(folder, 'sources/debian.sources'), text: sourcesFor(sources, guest) },
      { do: 'write', path: confOf(folder), text: aptConf(folder, guest) },
      {
        do: 'exec',
        argv: ['apt-get', '-c', confOf(folder), 'update'],
        limit: UPDATE_LIMIT_S,
        retries: 'mirror',
      },
    ],
  }
}

/** Removes what privateAptStep() made. */
export function forgetAptStep(folder: string): Step {
  return { title: 'forget the package lists', commands: [{ do: 'remove', path: folder }] }
}

/** `apt-cache … show` of these packages, the candidate version of each. */
export function showArgv(folder: string, packages: readonly string[]): string[] {
  return ['apt-cache', '-c', confOf(folder), '--no-all-versions', 'show', ...packages]
}

/** Downloads packages, `name[:arch]=version`, into `cwd`; apt checks them against the mirror's signed index. */
export function downloadCommand(folder: string, packages: readonly string[], cwd: string): Command {
  return {
    do: 'exec',
    argv: ['apt-get', '-c', confOf(folder), '-q', 'download', ...packages],
    cwd,
    limit: DOWNLOAD_LIMIT_S,
    retries: 'mirror',
  }
}

/** One package as `apt-cache show` tells it. */
export interface PackageRecord {
  readonly name: string
  readonly version: string
  readonly arch: string
  readonly sha256: string
  readonly depends: string
}

/** The records of an `apt-cache show`. */
export function packageRecords(text: string): PackageRecord[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const field = (name: string): string =>
        new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1]?.trim() ?? ''
      return {
        name: field('Package'),
        version: field('Version'),
        arch: field('Architecture'),
        sha256: field('SHA256'),
        depends: field('Depends'),
      }
    })
    .filter((record) => record.name !== '')
}

/** Asks about packages. @throws Complaint (4) naming the package and what apt said, when there is none */
export async function showPackages(
  folder: string,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<PackageRecord[]> {
  const question: Command = { do: 'exec', argv: showArgv(folder, packages), limit: 60 }
  const said = await execute(question, signal).catch((error: unknown) => {
    if (error instanceof CommandFailed) return error.output
    throw error
  })
  const records = packageRecords(said)
  return packages.map((wanted) => {
    const record = records.find((each) => each.name === wanted.split(':')[0] && each.sha256 !== '')
    const about = said.split('\n').filter((line) => /^[EWN]:/.test(line))
    if (!record) throw packageNotFound(wanted, about)
    return record
  })
}

/** The complaint about a package that Debian's mirror does not have. */
export function packageNotFound(name: string, said: readonly string[]): Complaint {
  return new Complaint({
    text: [`kernel package not found: ${name}`, ...said.map((line) => `  apt: ${line}`)].join('\n'),
    exitCode: 4,
    next: ['the sources of this machine must be those of Debian 12 (bookworm), with bookworm-security'],
  })
}

/** What a failed apt means to a person: no network, a package that is gone, or a mirror that stays broken. */
export function aptComplaint(error: CommandFailed): Complaint {
  const said = error.output.split('\n').filter((line) => /^(E|W|Err):?/.test(line))
  const lines = (said.length > 0 ? said : error.lastLines(4)).slice(0, 8).map((line) => `  apt: ${line}`)
  const gone = /Version '?([^' ]+)'? for '([^']+)' was not found|Unable to locate package (\S+)/.exec(
    error.output,
  )
  if (gone) return packageNotFound(gone[2] ?? gone[3] ?? '', said)
  const what = error.timedOut ? 'Debian’s mirror did not answer in time' : 'Debian’s mirror cannot be reached'
  return new Complaint({
    text: [`${what}: ${error.argv.slice(0, 1).concat(error.argv.slice(3)).join(' ')}`, ...lines].join('\n'),
    exitCode: 4,
    next: [
      'check the network (and the proxy in /etc/apt/apt.conf.d, if there is one), then run the same again',
      'once its kernels are in the cache a lab needs no network',
    ],
  })
}
