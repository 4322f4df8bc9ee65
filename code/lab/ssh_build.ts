// SPDX-License-Identifier: MIT
//
// Builds a lab's modules and programs for a real board: here by a cross compiler, or the modules on the board by its own.
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Cache } from './cache.ts'
import { CommandFailed } from './command.ts'
import type { GuestBuild } from './guest_build.ts'
import { buildComplaint } from './guest_build.ts'
import { copySources, type Source, sourcesKey } from './guest_sources.ts'
import type { Lab } from './lab_file.ts'
import type { BoardArch, BoardFacts } from './ssh_facts.ts'
import type { ModuleTree } from './ssh_headers.ts'
import { findCommand } from './tools.ts'
import { vermagicOf, vermagicTrouble } from './vermagic.ts'

const BUILD_LIMIT_S = 600

export const CROSS: Readonly<Record<BoardArch, string>> = {
  arm64: 'aarch64-linux-gnu-',
  arm: 'arm-linux-gnueabihf-',
}

const kbuildOf = (lab: Lab): string => `obj-m := ${lab.modules.map((each) => `${each}/`).join(' ')}\n`

/** @throws Complaint (4) when the compiler for a 32-bit board is not here; the other is among the board's tools */
export function needCompiler(arch: BoardArch): void {
  if (findCommand(`${CROSS[arch]}gcc`)) return
  const packages = arch === 'arm' ? 'gcc-arm-linux-gnueabihf libc6-dev-armhf-cross' : 'gcc-aarch64-linux-gnu'
  throw new Complaint({
    text: `${CROSS[arch]}gcc is not installed: it builds what this board runs`,
    exitCode: 4,
    next: [`apt-get install -y --no-install-recommends ${packages}`],
  })
}

/** The modules against a tree on this machine. */
export function modulesFor(cache: Cache, lab: Lab, sources: readonly Source[], tree: ModuleTree): GuestBuild {
  const key = `${tree.key}-${sourcesKey(sources, ...lab.modules)}`
  const final = cache.path('modules', key)
  const part = cache.part(final)
  const copy = join(part, 'src')
  const cross = CROSS[tree.arch]
  const names = lab.modules.map((folder) => basename(folder))
  const make = ['make', '-C', tree.folder, `M=${copy}`, `ARCH=${tree.arch}`, `CROSS_COMPILE=${cross}`]
  return {
    key,
    sources,
    files: names.map((name) => join(final, `${name}.ko`)),
    step: {
      title: `build ${names.join(', ')} for Linux ${tree.release}`,
      makes: { final, part },
      commands: [
        ...copySources(sources, copy),
        { do: 'write', path: join(copy, 'Kbuild'), text: kbuildOf(lab) },
        {
          do: 'exec',
          argv: [...make, `CC=${cross}gcc`, 'W=1', 'CONFIG_DEBUG_INFO_BTF_MODULES=', 'modules'],
          limit: BUILD_LIMIT_S,
        },
        ...lab.modules.map((folder, index) => ({
          do: 'copy' as const,
          from: join(copy, folder, `${names[index]}.ko`),
          to: join(part, `${names[index]}.ko`),
        })),
        { do: 'remove', path: copy },
      ],
    },
  }
}

/** What a build on the board needs there: files below a folder, and the command. */
export function boardBuild(
  lab: Lab,
  sources: readonly Source[],
  facts: BoardFacts,
  folder: string,
): { folders: string[]; files: { path: string; bytes: Buffer }[]; command: string[]; made: string[] } {
  const place = (path: string): string => join(folder, path)
  return {
    folders: [...new Set(sources.map((source) => place(dirname(source.path))))],
    files: [
      { path: place('Kbuild'), bytes: Buffer.from(kbuildOf(lab)) },
      ...sources.map(({ path, from, patched }) => ({
        path: place(path),
        bytes: patched === null ? readFileSync(from) : Buffer.from(patched),
      })),
    ],
    command: [
      ...['make', '-C', `/lib/modules/${facts.release}/build`, `M=${folder}`],
      ...['CC=gcc', 'W=1', 'CONFIG_DEBUG_INFO_BTF_MODULES=', 'modules'],
    ],
    made: lab.modules.map((each) => place(`${each}/${basename(each)}.ko`)),
  }
}

/** What a compiler on the board said, as a complaint in terms of the checkout's files. */
export function boardBuildComplaint(
  lab: Lab,
  sources: readonly Source[],
  folder: string,
  failed: { command: readonly string[]; code: number | null; output: string },
): Complaint {
  // As if the folder on the board were the copy that a build here works in.
  const part = dirname(folder)
  const title = `build ${lab.modules.map((each) => basename(each)).join(', ')} on the board`
  const output = failed.output.replaceAll(`${folder}/`, `${part}/src/`)
  const build: GuestBuild = { key: '', files: [], sources, step: { title, commands: [], makes: { part, final: '' } } }
  return buildComplaint(build, new CommandFailed(failed.command, failed.code, false, output), lab.root)
}

/** @throws Complaint (4) naming the module that is not one for the board's kernel */
export function needRightMagic(name: string, module: Uint8Array, facts: BoardFacts): void {
  const trouble = vermagicTrouble(vermagicOf(module), facts)
  if (trouble === null) return
  throw new Complaint({
    text: `${name}.ko is not loaded: ${trouble}`,
    exitCode: 4,
    next: ['build against the headers of exactly the kernel that the board runs: --headers FOLDER'],
  })
}
