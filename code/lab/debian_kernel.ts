// SPDX-License-Identifier: MIT
//
// Debian's arm64 kernels. Their package names carry an ABI that moves with each security update, so the name is resolved
// from the meta package (kernel_choice.ts keeps the answer until someone asks for a newer one).
//
// A kernel's folder holds what a lab needs of four packages:
//
//     boot/vmlinuz-<abi>-arm64          the Image
//     dtbs/*.dtb                        the device trees of the boards that labs boot
//     usr/src/linux-headers-<abi>-*     headers; their scripts/ is a relative link to
//     usr/lib/linux-kbuild-*            programs of this machine's architecture
import { join } from 'node:path'
import { type Cache, contentKey } from './cache.ts'
import type { Command, Step } from './command.ts'
import type { GuestArch, LabKernel, Series } from './kernels.ts'
import {
  DEBIAN_ARCH,
  downloadCommand,
  hostArch,
  packageNotFound,
  showArgv,
  showPackages,
} from './private_apt.ts'

/** Debian's meta package of each series. */
const META: Readonly<Record<Series, string>> = {
  '6.1': 'linux-image-arm64',
  '6.12': 'linux-image-6.12-arm64',
}

/** A kernel as Debian has it now. In a cold dry run the values are shell variables. */
export interface DebianKernel {
  readonly series: Series
  /** `6.1.0-56`: what stands between linux-image- and -arm64. */
  readonly abi: string
  /** The package's version, `6.1.192-2`. */
  readonly packageVersion: string
  readonly kbuild: string
  /** Names its content: the hash of the four packages' SHA-256. */
  readonly key: string
}

/** busybox-static for the guest's architecture. */
export interface DebianBusybox {
  readonly arch: GuestArch
  readonly packageVersion: string
  readonly key: string
}

/** The kernel's own version: `6.1.192` of package version `6.1.192-2`, `6.12.117` of `6.12.117-1~deb12u1`. */
export const kernelVersion = (packageVersion: string): string =>
  /^\d+(?:\.\d+)+/.exec(packageVersion)?.[0] ?? packageVersion

function packageNames(abi: string, kbuild: string): { image: string; headers: string[]; kbuild: string } {
  return {
    image: `linux-image-${abi}-arm64`,
    headers: [`linux-headers-${abi}-arm64`, `linux-headers-${abi}-common`],
    kbuild: `${kbuild}:${hostArch()}`,
  }
}

const sortedKey = (sums: readonly string[]): string => contentKey([...sums].sort().join('\n'))

/** Asks Debian for a series. @throws Complaint (4) when its mirror has no such kernel */
export async function resolveKernel(apt: string, series: Series, signal: AbortSignal): Promise<DebianKernel> {
  const [meta] = await showPackages(apt, [META[series]], signal)
  const abi = /linux-image-(\S+)-arm64(?:-unsigned)?\b/.exec(meta?.depends ?? '')?.[1]
  if (!meta || !abi || !kernelVersion(meta.version).startsWith(`${series}.`)) {
    throw packageNotFound(META[series], [
      `${META[series]} is at ${meta?.version ?? 'no version'}, not ${series}`,
    ])
  }
  const [headers] = await showPackages(apt, [`linux-headers-${abi}-arm64`], signal)
  const kbuild = /linux-kbuild-[^\s,]+/.exec(headers?.depends ?? '')?.[0]
  if (!kbuild) throw packageNotFound('linux-kbuild', [`linux-headers-${abi}-arm64 names none`])
  const names = packageNames(abi, kbuild)
  const records = await showPackages(apt, [names.image, ...names.headers, names.kbuild], signal)
  const key = sortedKey(records.map((record) => record.sha256))
  return { series, abi, packageVersion: records[0]?.version ?? meta.version, kbuild, key }
}

const busyboxPackage = (arch: GuestArch): string => `busybox-static:${DEBIAN_ARCH[arch]}`

/** Asks Debian for busybox-static. */
export async function resolveBusybox(
  apt: string,
  arch: GuestArch,
  signal: AbortSignal,
): Promise<DebianBusybox> {
  const [record] = await showPackages(apt, [busyboxPackage(arch)], signal)
  return { arch, packageVersion: record!.version, key: sortedKey([record!.sha256]) }
}

/** What a cold dry run prints in the place of resolveKernel(): the same questions, kept in shell variables. */
export function askKernel(apt: string, series: Series): { kernel: DebianKernel; commands: Command[] } {
  const tail = series.replace('.', '_')
  const abi = `\${contig_abi_${tail}}`
  const kbuild = `\${contig_kbuild_${tail}}`
  const names = packageNames(abi, kbuild)
  const ask = (variable: string, packages: string[], ...rest: string[][]): Command => ({
    do: 'ask',
    variable: `contig_${variable}_${tail}`,
    pipeline: [showArgv(apt, packages), ...rest],
  })
  const all = [names.image, ...names.headers, names.kbuild]
  return {
    kernel: {
      series,
      abi,
      packageVersion: `\${contig_version_${tail}}`,
      kbuild,
      key: `\${contig_key_${tail}}`,
    },
    commands: [
      ask('abi', [META[series]], ['sed', '-n', 's/^Depends:.* linux-image-\\([^ ,]*\\)-arm64.*/\\1/p']),
      ask('kbuild', [names.headers[0]!], ['grep', '-o', 'linux-kbuild-[^ ,]*'], ['head', '-n', '1']),
      ask('version', [names.image], ['sed', '-n', 's/^Version: //p']),
      ask('key', all, ...keyPipeline),
    ],
  }
}

// The key in words of the shell, for the names of a cold dry run; the same as contentKey() of the sorted sums.
const keyPipeline = [['sed', '-n', 's/^SHA256: //p'], ['sort'], ['sha256sum'], ['cut', '-c', '1-16']]

/** What a cold dry run prints in the place of resolveBusybox(). */
export function askBusybox(apt: string, arch: GuestArch): { busybox: DebianBusybox; commands: Command[] } {
  const show = showArgv(apt, [busyboxPackage(arch)])
  const version = `contig_version_busybox_${arch}`
  const key = `contig_key_busybox_${arch}`
  return {
    busybox: { arch, packageVersion: `\${${version}}`, key: `\${${key}}` },
    commands: [
      { do: 'ask', variable: version, pipeline: [show, ['sed', '-n', 's/^Version: //p']] },
      { do: 'ask', variable: key, pipeline: [show, ...keyPipeline] },
    ],
  }
}

/** The folder of a kernel, and the two places in it that others need. */
export function kernelPlaces(
  cache: Cache,
  kernel: DebianKernel,
): { folder: string; image: string; headers: string } {
  const folder = cache.path('kernels', `${kernel.key}-${RECIPE}`)
  return {
    folder,
    image: join(folder, `boot/vmlinuz-${kernel.abi}-arm64`),
    headers: join(folder, `usr/src/linux-headers-${kernel.abi}-arm64`),
  }
}

/** A kernel of Debian's as labs know kernels. */
export function debianLabKernel(cache: Cache, apt: string, kernel: DebianKernel): LabKernel {
  const { folder, image, headers } = kernelPlaces(cache, kernel)
  const { series, key, packageVersion } = kernel
  return {
    ...{ name: series, series, arch: 'arm64', key, image, headers },
    version: kernelVersion(packageVersion),
    origin: `Debian ${packageVersion}`,
    dtbs: join(folder, 'dtbs'),
    fetch: [kernelStep(cache, apt, kernel)],
  }
}

/** Counts the changes of what is kept of a kernel. */
const RECIPE = 3

const UNPACK_LIMIT_S = 300

/** Downloads and unpacks a kernel. */
export function kernelStep(cache: Cache, apt: string, kernel: DebianKernel): Step {
  const { folder } = kernelPlaces(cache, kernel)
  const part = cache.part(folder)
  const names = packageNames(kernel.abi, kernel.kbuild)
  const { packageVersion: version } = kernel
  const deb = (name: string, arch: string): string =>
    join(part, `debs/${name.split(':')[0]}_${version}_${arch}.deb`)
  const [own = '', common = ''] = names.headers
  const unpack = (file: string): Command => ({
    do: 'exec',
    argv: ['dpkg', '-x', file, part],
    limit: UNPACK_LIMIT_S,
  })
  const all = [names.image, own, common, names.kbuild].map((name) => `${name}=${version}`)
  return {
    title: `fetch Debian’s kernel ${kernelVersion(version)} for arm64 (${names.image})`,
    makes: { final: folder, part },
    commands: [
      { do: 'mkdir', path: join(part, 'debs') },
      downloadCommand(apt, all, join(part, 'debs')),
      {
        // Only the kernel itself and the trees of its boards: its modules are 300 MB that no lab loads.
        do: 'exec',
        argv: ['dpkg-deb', '--fsys-tarfile', deb(names.image, 'arm64')],
        into: ['tar', '-x', '-C', part, '--wildcards', './boot', `./usr/lib/linux-image-*/xilinx`],
        limit: UNPACK_LIMIT_S,
      },
      {
        do: 'exec',
        argv: ['sh', '-c', 'mv usr/lib/linux-image-*/xilinx dtbs && rmdir usr/lib/linux-image-*'],
        cwd: part,
        limit: UNPACK_LIMIT_S,
      },
      unpack(deb(own, 'arm64')),
      unpack(deb(common, 'all')),
      unpack(deb(names.kbuild, hostArch())),
      {
        // Debian's file includes its neighbour by an absolute path, which would be the host's.
        do: 'write',
        path: join(part, `usr/src/${own}/Makefile`),
        text: `include $(dir $(lastword $(MAKEFILE_LIST)))../${common}/Makefile\n`,
      },
      { do: 'remove', path: join(part, 'debs') },
    ],
  }
}

export const busyboxPlace = (cache: Cache, busybox: DebianBusybox): string =>
  cache.path('busybox', busybox.key, 'bin/busybox')

/** Downloads and unpacks busybox for the guest. */
export function busyboxStep(cache: Cache, apt: string, busybox: DebianBusybox): Step {
  const final = cache.path('busybox', busybox.key)
  const part = cache.part(final)
  const { packageVersion: version } = busybox
  return {
    title: `fetch Debian’s busybox for ${busybox.arch}`,
    makes: { final, part },
    commands: [
      { do: 'mkdir', path: join(part, 'debs') },
      downloadCommand(apt, [`${busyboxPackage(busybox.arch)}=${version}`], join(part, 'debs')),
      {
        // An epoch's colon stands as %3a in the file's name; a glob spares us the spelling.
        do: 'exec',
        argv: [
          'find',
          join(part, 'debs'),
          '-name',
          'busybox-static_*.deb',
          '-exec',
          'dpkg',
          '-x',
          '{}',
          part,
          ';',
        ],
        limit: UNPACK_LIMIT_S,
      },
      { do: 'remove', path: join(part, 'debs') },
    ],
  }
}
