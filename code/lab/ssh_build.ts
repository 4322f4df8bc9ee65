// SPDX-License-Identifier: MIT
//
// What a real board's modules and programs are built for, and the modules' build on the board itself, where only the
// board has what it takes.
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { CommandFailed } from './command.ts'
import { buildComplaint, type GuestBuild } from './guest_build.ts'
import type { Source } from './guest_sources.ts'
import { CROSS, type GuestArch, type LabKernel, type Series } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import type { BoardFacts } from './ssh_facts.ts'
import type { ModuleTree } from './ssh_headers.ts'
import { findCommand, installCommand, missingTools } from './tools.ts'
import { vermagicOf, vermagicTrouble } from './vermagic.ts'

/** Expectations that differ between kernels are those of the series that a board's kernel is nearest to. */
export function nearestSeries(release: string): Series {
  const [major = 0, minor = 0] = release.split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 12) ? '6.12' : '6.1'
}

/** The board's kernel as labs know kernels; without a tree, nothing is built here. */
export function boardKernel(facts: BoardFacts, arch: GuestArch, tree: ModuleTree | null): LabKernel {
  const series = nearestSeries(facts.release)
  return {
    ...{ name: series, series, arch, version: facts.release, origin: facts.system || 'the board’s own' },
    ...{ key: tree?.key ?? '', headers: tree?.folder ?? '', image: '', dtbs: '', fetch: [] },
  }
}

/** @throws Complaint (4) when a compiler is not here that this lab's files need */
export function needCompilers(lab: Lab, arch: GuestArch): void {
  const archs = new Set<GuestArch>([arch, ...lab.programs.map(({ bits }) => (bits === 32 ? 'arm' : arch))])
  for (const each of archs) {
    if (findCommand(`${CROSS[each]}gcc`)) continue
    const missing = missingTools(each === 'arm' ? ['arm32'] : ['board'])
    throw new Complaint({
      text: `${CROSS[each]}gcc is not installed: it builds what the board runs`,
      exitCode: 4,
      next: [installCommand(missing).join(' ')],
    })
  }
}

/** What a build on the board needs there: files below a folder, and the command. */
export interface BoardBuild {
  readonly folders: readonly string[]
  readonly files: readonly { readonly path: string; readonly bytes: Buffer }[]
  readonly command: readonly string[]
  /** The modules, when it has worked. */
  readonly made: readonly string[]
}

/** Plans the build of a lab's modules in `folder`, on the board, against its own tree. */
export function planBoardBuild(
  lab: Lab,
  sources: readonly Source[],
  facts: BoardFacts,
  folder: string,
): BoardBuild {
  const place = (path: string): string => join(folder, path)
  return {
    folders: [...new Set(sources.map((source) => place(dirname(source.path))))],
    files: [
      {
        path: place('Kbuild'),
        bytes: Buffer.from(`obj-m := ${lab.modules.map((each) => `${each}/`).join(' ')}\n`),
      },
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
  const makes = { part, final: '' }
  const build: GuestBuild = { key: '', files: [], sources, step: { title, commands: [], makes } }
  return buildComplaint(build, new CommandFailed(failed.command, failed.code, false, output), lab.root)
}

/** @throws Complaint (4) naming the module that is not one for the board's kernel */
export function needRightMagic(name: string, module: Uint8Array, facts: BoardFacts): void {
  const trouble = vermagicTrouble(vermagicOf(module), facts)
  if (trouble === null) return
  throw new Complaint({
    text: `${name} is not loaded: ${trouble}`,
    exitCode: 4,
    next: ['build against the headers of exactly the kernel that the board runs: --headers FOLDER'],
  })
}
