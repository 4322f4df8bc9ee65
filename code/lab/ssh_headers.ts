// SPDX-License-Identifier: MIT
//
// What a module for a real board is built against, in this order:
//
//     --headers FOLDER            a module build tree on this machine, of exactly the kernel that the board runs
//     Debian's own kernels        known by the release's name; their headers come from Debian, with scripts for here
//     /lib/modules/…/build        the board's own tree, used on the board, when it has make and gcc
//
// A board's tree is never brought here: its scripts/ are programs of the board's architecture, and a distribution that
// ships headers seldom ships what they are made from.
import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Cache, contentKey } from './cache.ts'
import type { Command, Step } from './command.ts'
import { rememberedKernel } from './kernel_choice.ts'
import { CROSS, type GuestArch, KERNEL_NAMES } from './kernels.ts'
import { downloadCommand, hostArch, showPackages } from './private_apt.ts'
import { boardArch, type BoardFacts } from './ssh_facts.ts'

/** A module build tree on this machine. */
export interface ModuleTree {
  readonly folder: string
  readonly arch: GuestArch
  readonly release: string
  /** Names its content. */
  readonly key: string
}

const cannot = (text: string, ...next: string[]): Complaint => new Complaint({ text, exitCode: 4, next })

// e_machine of an ELF file; null when it is none.
function elfMachine(path: string): number | null {
  const head = Buffer.alloc(20)
  const file = openSync(path, 'r')
  try {
    if (readSync(file, head, 0, 20, 0) < 20 || head.toString('latin1', 0, 4) !== '\x7fELF') return null
  } finally {
    closeSync(file)
  }
  return head.readUInt16LE(18)
}

const ELF_MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

const make = (arch: GuestArch): string => `make ARCH=${arch} CROSS_COMPILE=${CROSS[arch]} modules_prepare`

const releaseOf = (folder: string): string | null => {
  const file = join(folder, 'include/generated/utsrelease.h')
  return existsSync(file) ? (/UTS_RELEASE "([^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? null) : null
}

/** The tree in a folder that the user named. @throws Complaint (2, 4) when it is none, or none for this board */
export function namedHeaders(folder: string, facts: BoardFacts): ModuleTree {
  const place = resolve(folder)
  const arch = boardArch(facts) ?? 'arm64'
  if (!existsSync(place))
    throw new Complaint({ text: `--headers ${folder}: there is no such folder`, exitCode: 2 })
  const read = (name: string): string | null => {
    const file = join(place, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : null
  }
  const release = releaseOf(place)
  const config = read('include/config/auto.conf')
  const modpost = join(place, 'scripts/mod/modpost')
  if (release === null || config === null || !existsSync(join(place, 'Makefile')) || !existsSync(modpost))
    throw cannot(
      `--headers ${folder}: this is no folder that modules can be built against`,
      `it needs what this leaves in a kernel’s build folder: ${make(arch)}`,
    )
  if (release !== facts.release)
    throw cannot(
      `--headers ${folder}: these are the headers of Linux ${release}, and the board runs ${facts.release}`,
      'a module loads only into the kernel that it was built for: name that kernel’s build folder',
    )
  const right = arch === 'arm64' ? 'CONFIG_ARM64=y' : 'CONFIG_ARM=y'
  if (!config.split('\n').includes(right))
    throw cannot(`--headers ${folder}: configured for another architecture than the board’s ${facts.machine}`)
  const machine = elfMachine(modpost)
  if (machine !== null && machine !== ELF_MACHINES[process.arch])
    throw cannot(
      `--headers ${folder}: its scripts are programs of another architecture than this machine’s (scripts/mod/modpost)`,
      `make them here, in that kernel’s source tree with its configuration: ${make(arch)}`,
    )
  const symbols = read('Module.symvers')
  if (symbols === null && config.includes('CONFIG_MODVERSIONS=y'))
    throw cannot(
      `--headers ${folder}: the kernel checks symbols by checksum, and the folder has no Module.symvers to take them from`,
      'Module.symvers is made when that kernel is built; copy it from there',
    )
  const key = contentKey(realpathSync(place), release, config, symbols ?? '')
  return { folder: place, arch, release, key }
}

/** `6.12.117+deb12` of a Debian kernel's release `6.12.117+deb12-arm64`; null for any other kernel. */
export function debianAbi(release: string): string | null {
  return /^(\d+\.\d+\.[\w.+]+(?:-\d+)?)-arm64$/.exec(release)?.[1] ?? null
}

/** Headers that are in the cache already: of a kernel that labs boot, or fetched for a board before. */
export function headersHere(cache: Cache, release: string, arch: GuestArch): ModuleTree | null {
  if (arch === 'arm64') {
    for (const name of KERNEL_NAMES) {
      const kernel = rememberedKernel(cache, cache.path('apt'), name, arch)?.kernel
      if (kernel && existsSync(kernel.headers) && releaseOf(kernel.headers) === release)
        return { folder: kernel.headers, arch, release, key: kernel.key }
    }
  }
  const pointer = pointerPath(cache, release)
  if (!existsSync(pointer)) return null
  const key = readFileSync(pointer, 'utf8').trim()
  const folder = join(cache.path('kernels', key), `usr/src/linux-headers-${release}`)
  return existsSync(folder) ? { folder, arch, release, key } : null
}

const pointerPath = (cache: Cache, release: string): string =>
  cache.path('debian', `headers-${release}-${hostArch()}`)

const UNPACK_LIMIT_S = 300

/** Fetches the headers of one Debian release by a private apt. The step, and what it makes. */
export async function debianHeadersStep(
  cache: Cache,
  apt: string,
  release: string,
  signal: AbortSignal,
): Promise<{ step: Step; tree: ModuleTree }> {
  const own = `linux-headers-${release}`
  const [headers] = await showPackages(apt, [own], signal)
  const parts = (headers?.depends ?? '').split(/[\s,|]+/)
  const common = parts.find((name) => /^linux-headers-.*-common$/.test(name)) ?? ''
  const kbuild = parts.find((name) => name.startsWith('linux-kbuild-')) ?? ''
  const names = [own, common, `${kbuild}:${hostArch()}`]
  const records = await showPackages(apt, names, signal)
  const key = contentKey(...records.map((record) => record.sha256).sort())
  const final = cache.path('kernels', key)
  const part = cache.part(final)
  const debs = join(part, 'debs')
  const wanted = names.map((name, index) => `${name}=${records[index]!.version}`)
  const find = ['find', debs, '-name', '*.deb', '-exec', 'dpkg', '-x', '{}', part, ';']
  const step: Step = {
    title: `fetch Debian’s headers of Linux ${release}`,
    makes: { final, part },
    commands: [
      { do: 'mkdir', path: debs },
      downloadCommand(apt, wanted, debs),
      { do: 'exec', argv: find, limit: UNPACK_LIMIT_S },
      {
        // Debian's file includes its neighbour by an absolute path, which would be this machine's.
        do: 'write',
        path: join(part, `usr/src/${own}/Makefile`),
        text: `include $(dir $(lastword $(MAKEFILE_LIST)))../${common}/Makefile\n`,
      },
      { do: 'remove', path: debs } satisfies Command,
    ],
  }
  return { step, tree: { folder: join(final, 'usr/src', own), arch: 'arm64', release, key } }
}

/** Keeps where the headers of a release lie. */
export function rememberHeaders(cache: Cache, tree: ModuleTree): void {
  cache.writeWhole(pointerPath(cache, tree.release), `${tree.key}\n`)
}

/** The complaint about a board for whose kernel there are no headers anywhere. */
export function noHeaders(facts: BoardFacts, where: string, why: string | null): Complaint {
  const arch = boardArch(facts) ?? 'arm64'
  const tree = facts.buildTree
    ? `the board has /lib/modules/${facts.release}/build, but no make and gcc to use it with: install them there (Debian: apt install make gcc)`
    : `put them on the board (Debian: apt install linux-headers-${facts.release} make gcc; Raspberry Pi OS: linux-headers-rpi-v8)`
  return cannot(
    `${where} runs Linux ${facts.release}, and there are no headers to build its modules against${why ? ` (${why})` : ''}`,
    tree,
    `or name that kernel’s build folder on this machine: --headers FOLDER, made there by: ${make(arch)}`,
  )
}
