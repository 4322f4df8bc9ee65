// SPDX-License-Identifier: MIT
//
// Kernels of our own, built from Debian's linux-source-6.12 and a list of options in kernel/configs: `lab` boots in half
// a second and shows its memory, `debug` reports what a driver does wrong. As with Debian's kernels, all of it is steps
// as data (command.ts). A built kernel's folder holds what a lab needs, and the sources are thrown away:
//
//     Image, or zImage for arm      boots
//     System.map, config            its symbols and its whole configuration
//     dtbs/*.dtb                    device trees of the machines that QEMU has no tree for
//     build/                        what modules are built against
//
// The folder's name is a hash of everything that decides its content: the sources, the options, the compiler, and the very
// commands. The same name was seen to hold the same Image, byte for byte, wherever it is built.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'
import { type Cache, contentKey } from './cache.ts'
import type { Command, Step } from './command.ts'
import { kernelVersion } from './debian_kernel.ts'
import { type KernelSource, sourceArchive, sourceStep, TREE } from './kernel_source.ts'
import { projectRoot } from './project_root.ts'

/** Our kernels, and the architectures each is built for. */
export const OWN_KERNELS = { lab: ['arm64', 'arm'], debug: ['arm64'] } as const
export type OwnName = keyof typeof OWN_KERNELS
export type OwnArch = (typeof OWN_KERNELS)[OwnName][number]
export const OWN_NAMES = Object.keys(OWN_KERNELS) as OwnName[]

interface Arch {
  readonly cross: string
  /** What make is asked for, and where it puts it. */
  readonly image: string
  readonly boot: string
  readonly dtbs: readonly string[]
}

const ARCHS: Readonly<Record<OwnArch, Arch>> = {
  arm64: {
    cross: 'aarch64-linux-gnu-',
    image: 'Image',
    boot: 'arch/arm64/boot',
    dtbs: ['xilinx/zynqmp-zcu102-rev1.0.dtb'],
  },
  arm: {
    cross: 'arm-linux-gnueabihf-',
    image: 'zImage',
    boot: 'arch/arm/boot',
    dtbs: ['xilinx/zynq-zc702.dtb'],
  },
}

/** A kernel of ours: where its parts stand once it is built, and the steps that build it. */
export interface OwnKernel {
  readonly name: OwnName
  readonly arch: OwnArch
  /** The kernel's own version, `6.12.117`. */
  readonly version: string
  /** Debian's, of the sources: `6.12.117-1~deb12u1`. */
  readonly packageVersion: string
  /** Names its content. */
  readonly key: string
  readonly folder: string
  /** Image (arm64) or zImage (arm). */
  readonly image: string
  /** The tree that modules are built against: `make -C` it. */
  readonly headers: string
  readonly dtbs: string
  /** What `make` needs for modules beside `-C` and `M=`. */
  readonly makeWords: readonly string[]
  /** Fetches the sources' archive, then builds; both are skipped when they are done already. */
  readonly steps: readonly Step[]
}

/** The first lines of what the cross compiler and its linker say of themselves; they decide the Image's bytes. */
export function compilerOf(arch: OwnArch): string {
  const first = (program: string): string =>
    spawnSync(`${ARCHS[arch].cross}${program}`, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ??
    'absent'
  return `${first('gcc')}; ${first('ld')}`
}

/** The options of a kernel, as kernel/configs has them. @throws Complaint (2) when there is no such kernel */
export function ownConfig(name: OwnName, arch: OwnArch, root: string = projectRoot()): string {
  const path = join(root, 'kernel/configs', `${name}-${arch}.config`)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  const there = OWN_KERNELS[name].map((each) => `contig kernel build ${name} --arch ${each}`)
  throw new Complaint({ text: `there is no kernel ${name} for ${arch}`, exitCode: 2, next: there })
}

// Every line of the wanted options against .config; an option that did not stick is told with what came of it.
const CHECK = `sed -n 's/^\\(CONFIG_[A-Za-z0-9_]*\\)=\\(.*\\)$/\\1 \\2/p' "$1" | {
  bad=0
  while read -r name wanted; do
    got=$(sed -n "s/^$name=//p" "$2")
    [ "\${got:-n}" = "$wanted" ] && continue
    echo "did not stick: $name: wanted $wanted, got \${got:-n}"
    bad=1
  done
  exit $bad
}`

const UNPACK_LIMIT_S = 900
const CONFIG_LIMIT_S = 300
const BUILD_LIMIT_S = 7200

// Sources that none of our kernels compiles, half of the tree; their Kconfig and Makefile files stay.
const UNWANTED = [
  'Documentation/*/*',
  ...['drivers/gpu', 'drivers/net', 'drivers/media', 'drivers/staging', 'drivers/infiniband', 'sound'].map(
    (folder) => `${folder}/*.[ch]`,
  ),
]

// A clean environment, and names in the place of this machine's: what is built depends on neither.
const cleanEnv = (path: string): string[] => ['env', '-i', `PATH=${path}`, 'LC_ALL=C']
const SIGNATURE = [
  'KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970',
  'KBUILD_BUILD_USER=contig',
  'KBUILD_BUILD_HOST=contiguous',
  'KBUILD_BUILD_VERSION=1',
]

interface Recipe {
  readonly arch: OwnArch
  readonly archive: string
  readonly part: string
  readonly config: string
  readonly path: string
  readonly jobs: string
}

/** From the archive to the finished folder. */
function buildCommands({ arch, archive, part, config, path, jobs }: Recipe): Command[] {
  const { cross, image, boot, dtbs } = ARCHS[arch]
  const src = join(part, 'src')
  const wanted = join(part, 'wanted')
  const make = [
    ...[
      ...cleanEnv(path),
      'nice',
      'make',
      '-C',
      src,
      `ARCH=${arch}`,
      `CROSS_COMPILE=${cross}`,
      'LOCALVERSION=',
    ],
    ...SIGNATURE,
  ]
  const script = join(src, 'scripts/package/install-extmod-build')
  const keep = (from: string, to: string): Command => ({
    do: 'copy',
    from: join(src, from),
    to: join(part, to),
  })
  return [
    { do: 'mkdir', path: src },
    {
      do: 'exec',
      argv: [
        ...['tar', '-xJf', archive, '-C', src, '--strip-components=1'],
        ...UNWANTED.map((pattern) => `--exclude=${TREE}/${pattern}`),
      ],
      limit: UNPACK_LIMIT_S,
      tells: 'unpack the sources',
    },
    { do: 'write', path: wanted, text: config },
    {
      do: 'exec',
      argv: [...make, `KCONFIG_ALLCONFIG=${wanted}`, 'allnoconfig'],
      limit: CONFIG_LIMIT_S,
      tells: 'configure',
    },
    { do: 'exec', argv: ['sh', '-c', CHECK, 'sh', wanted, join(src, '.config')], limit: CONFIG_LIMIT_S },
    {
      do: 'exec',
      argv: [...make, `-j${jobs}`, image, 'modules', ...dtbs],
      limit: BUILD_LIMIT_S,
      tells: 'compile',
      counts: true,
    },
    {
      do: 'exec',
      // It is written for make's environment; the programs in it stay those of this machine.
      argv: [
        ...[...cleanEnv(path), 'CC=gcc', 'HOSTCC=gcc', 'MAKE=make', 'srctree=.', `SRCARCH=${arch}`],
        ...['sh', script, '../build'],
      ],
      cwd: src,
      limit: CONFIG_LIMIT_S,
      tells: 'gather what modules are built against',
    },
    keep(join(boot, image), image),
    keep('System.map', 'System.map'),
    keep('.config', 'config'),
    { do: 'mkdir', path: join(part, 'dtbs') },
    ...dtbs.map((dtb) => keep(join(boot, 'dts', dtb), join('dtbs', dtb.replace(/.*\//, '')))),
    { do: 'remove', path: wanted },
    { do: 'remove', path: src },
  ]
}

/**
 * A kernel of ours as data: its places and its steps. Nothing is asked of the network and nothing is built here.
 *
 * @param apt - where the private apt has, or would have, its state
 * @throws Complaint (2) when there is no such kernel for the architecture
 */
export function ownKernel(
  cache: Cache,
  apt: string,
  source: KernelSource,
  name: OwnName,
  arch: OwnArch = 'arm64',
  root: string = projectRoot(),
): OwnKernel {
  const config = ownConfig(name, arch, root)
  const named = { arch, archive: 'ARCHIVE', part: 'PART', config, path: 'PATH', jobs: 'JOBS' }
  // The sources' key may be a shell variable in a cold dry run, so it is joined and not hashed.
  const key = `${source.key}-${contentKey(compilerOf(arch), JSON.stringify(buildCommands(named)))}`
  const folder = cache.path('kernels', key)
  const part = cache.part(folder)
  const commands = buildCommands({
    ...{ arch, config, part, archive: sourceArchive(cache, source) },
    path: process.env['PATH'] ?? '/usr/bin:/bin',
    jobs: String(availableParallelism()),
  })
  const version = kernelVersion(source.packageVersion)
  return {
    ...{ name, arch, version, packageVersion: source.packageVersion, key, folder },
    image: join(folder, ARCHS[arch].image),
    headers: join(folder, 'build'),
    dtbs: join(folder, 'dtbs'),
    makeWords: [`ARCH=${arch}`, `CROSS_COMPILE=${ARCHS[arch].cross}`],
    steps: [
      sourceStep(cache, apt, source),
      {
        title: `build the kernel ${name} ${version} for ${arch}`,
        makes: { final: folder, part },
        commands,
        alone: true,
      },
    ],
  }
}
