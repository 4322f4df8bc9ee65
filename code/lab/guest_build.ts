// SPDX-License-Identifier: MIT
//
// Builds a lab's modules against a kernel's headers, and its programs for the guest, out of a copy of their sources.
// A compiler's complaint is told with the file and line of the checkout (or of the reader's own file).
import { basename, dirname, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import type { Diagnostic } from '../lib/diagnostic.ts'
import type { Cache } from './cache.ts'
import type { CommandFailed, Step } from './command.ts'
import { copySources, type Source, sourcesKey } from './guest_sources.ts'
import { CROSS, type GuestArch, type LabKernel } from './kernels.ts'
import type { Lab, LabProgram } from './lab_file.ts'

const BUILD_LIMIT_S = 600

/** What a build gives: where the files will stand, and how to make them. Null step: there is nothing to build. */
export interface GuestBuild {
  /** Absolute paths of the finished files. */
  readonly files: readonly string[]
  readonly step: Step | null
  readonly key: string
  readonly sources: readonly Source[]
}

const NOTHING: GuestBuild = { files: [], step: null, key: 'none', sources: [] }

/** The modules, one `.ko` each. */
export function buildModules(
  cache: Cache,
  lab: Lab,
  sources: readonly Source[],
  kernel: LabKernel,
): GuestBuild {
  if (lab.modules.length === 0) return NOTHING
  // The kernel's key may be a shell variable in a cold dry run, so it is joined and not hashed.
  const key = `${kernel.key}-${sourcesKey(sources, ...lab.modules)}`
  const final = cache.path('modules', key)
  const part = cache.part(final)
  const copy = join(part, 'src')
  const names = lab.modules.map((folder) => basename(folder))
  const cross = CROSS[kernel.arch]
  const make = ['make', '-C', kernel.headers, `M=${copy}`, `ARCH=${kernel.arch}`, `CROSS_COMPILE=${cross}`]
  return {
    key,
    sources,
    files: names.map((name) => join(final, `${name}.ko`)),
    step: {
      title: `build ${names.join(', ')} for Linux ${kernel.version} (${kernel.name})`,
      makes: { final, part },
      commands: [
        ...copySources(sources, copy),
        {
          do: 'write',
          path: join(copy, 'Kbuild'),
          text: `obj-m := ${lab.modules.map((each) => `${each}/`).join(' ')}\n`,
        },
        {
          do: 'exec',
          // Debian's headers name the compiler by its version; any one will do. Type information (BTF) needs pahole.
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

const PROGRAM_FLAGS = [
  ...['-static', '-std=gnu11', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64'],
  ...['-O2', '-Wall', '-Wextra', '-Werror'],
]

/** The programs, linked statically. */
export function buildPrograms(
  cache: Cache,
  lab: Lab,
  sources: readonly Source[],
  arch: GuestArch,
): GuestBuild {
  if (lab.programs.length === 0) return NOTHING
  const compiler = ({ bits }: LabProgram): string => `${CROSS[bits === 32 ? 'arm' : arch]}gcc`
  const list = lab.programs.map((each) => `${each.name}: ${compiler(each)} ${each.sources.join(' ')}`)
  const key = sourcesKey(sources, ...PROGRAM_FLAGS, ...list)
  const final = cache.path('programs', key)
  const part = cache.part(final)
  const copy = join(part, 'src')
  const headers = sources.filter((source) => source.path.endsWith('.h')).map((source) => dirname(source.path))
  const include = [...new Set(headers)].map((folder) => `-I${folder}`)
  return {
    key,
    sources,
    files: lab.programs.map((program) => join(final, program.name)),
    step: {
      title: `build ${lab.programs.map((program) => program.name).join(', ')}`,
      makes: { final, part },
      commands: [
        ...copySources(sources, copy),
        ...lab.programs.map((program) => ({
          do: 'exec' as const,
          argv: [
            compiler(program),
            ...PROGRAM_FLAGS,
            ...include,
            '-o',
            join(part, program.name),
            ...program.sources,
          ],
          cwd: copy,
          limit: BUILD_LIMIT_S,
        })),
        { do: 'remove', path: copy },
      ],
    },
  }
}

const COMPILER_LINE = /^(?:\.\/)?(\S+?):(\d+):(?:(\d+):)? (fatal error|error|warning): (.*)$/

/** A failed build as a complaint in terms of the checkout's files. */
export function buildComplaint(build: GuestBuild, error: CommandFailed, root: string): Complaint {
  const copy = `${build.step?.makes?.part ?? ''}/src/`
  const shown = (path: string): string => {
    const inside = path.startsWith(copy) ? path.slice(copy.length) : path
    const source = build.sources.find((each) => each.path === inside)
    if (!source) return inside
    return source.from.startsWith(`${root}/`) ? source.from.slice(root.length + 1) : source.from
  }
  const lines = error.output.split('\n')
  const diagnostics = lines.flatMap((line): Diagnostic[] => {
    const match = COMPILER_LINE.exec(line)
    if (!match) return []
    const [, path = '', row = '', column = '0', kind = '', text = ''] = match
    const severity = kind === 'warning' ? 'warning' : 'error'
    return [
      { rule: 'lab-compiler', severity, file: shown(path), line: Number(row), column: Number(column), text },
    ]
  })
  // What the compiler prints below a line of its own belongs to it; a linker or modpost has no such lines.
  const other = lines.filter((line) =>
    /undefined!|undefined reference|^ERROR: modpost|No rule to make/.test(line),
  )
  const rest = diagnostics.length + other.length > 0 ? other : error.lastLines(12)
  const title = build.step?.title ?? 'build'
  return new Complaint({
    text: [`${title}: failed`, ...rest.map((line) => `  ${line.replaceAll(copy, '')}`)].join('\n'),
    diagnostics,
  })
}
