// SPDX-License-Identifier: MIT
//
// From a kernel's name to a kernel: what the cache remembers of it, what Debian says of it now, and, for a cold dry run,
// the questions whose answers a shell would keep. Beside it comes the busybox of the guest's architecture.
import { existsSync, readFileSync } from 'node:fs'
import { Complaint } from '../lib/complaint.ts'
import type { Cache } from './cache.ts'
import type { Command } from './command.ts'
import {
  askBusybox,
  askKernel,
  type DebianBusybox,
  type DebianKernel,
  debianLabKernel,
  resolveBusybox,
  resolveKernel,
} from './debian_kernel.ts'
import { askSource, type KernelSource, rememberedSource } from './kernel_source.ts'
import {
  type GuestArch,
  KERNEL_NAMES,
  type KernelName,
  type LabKernel,
  type Series,
  SERIES_NAMES,
  seriesOf,
} from './kernels.ts'
import { OWN_KERNELS, ownKernel, type OwnName } from './own_kernel.ts'
import { hostArch } from './private_apt.ts'

/** A kernel and the busybox that goes with it. */
export interface Chosen {
  readonly kernel: LabKernel
  readonly busybox: DebianBusybox
}

/** What Debian said: plain data, kept in the cache. The sources of our own kernels are remembered by kernel_source.ts. */
interface Remembered {
  readonly busybox: DebianBusybox
  /** Only of Debian's own kernels. */
  readonly kernel?: DebianKernel
}

/** Whether a kernel is Debian's as it comes. */
export const isSeries = (name: KernelName): name is Series =>
  (SERIES_NAMES as readonly string[]).includes(name)

/** The architectures that a kernel is had for. */
const archsOf = (name: KernelName): readonly GuestArch[] => (isSeries(name) ? ['arm64'] : OWN_KERNELS[name])

/** @throws Complaint (2) when there is no such kernel for this architecture */
function needArch(name: KernelName, arch: GuestArch): void {
  if (archsOf(name).includes(arch)) return
  const others = KERNEL_NAMES.filter((each) => archsOf(each).includes(arch))
  throw new Complaint({
    text: `there is no kernel ${name} for boards of architecture ${arch}`,
    exitCode: 2,
    next: [`there is: ${others.join(', ')}`],
  })
}

const rememberedPath = (cache: Cache, name: KernelName, arch: GuestArch): string =>
  cache.path('debian', `${name}-${arch}-on-${hostArch()}.json`)

function ownLabKernel(
  cache: Cache,
  apt: string,
  source: KernelSource,
  name: OwnName,
  arch: GuestArch,
): LabKernel {
  const own = ownKernel(cache, apt, source, name, arch)
  const { version, key, image, headers, dtbs, steps } = own
  return {
    ...{ name, series: seriesOf(name), arch, version, key, image, headers, dtbs },
    origin: `built from Debian’s sources ${own.packageVersion}`,
    // Once it stands nobody needs its sources.
    fetch: existsSync(own.folder) ? steps.slice(-1) : steps,
  }
}

function chosen(
  cache: Cache,
  apt: string,
  { name, arch }: Pick<LabKernel, 'name' | 'arch'>,
  said: Remembered & { readonly source?: KernelSource },
): Chosen | null {
  const { busybox, kernel, source = rememberedSource(cache) } = said
  if (kernel) return { kernel: debianLabKernel(cache, apt, kernel), busybox }
  return source && { kernel: ownLabKernel(cache, apt, source, name as OwnName, arch), busybox }
}

/**
 * A kernel from what Debian said last time; null when it was never asked.
 * @throws Complaint (2) when there is no such kernel for this architecture
 */
export function rememberedKernel(
  cache: Cache,
  apt: string,
  name: KernelName,
  arch: GuestArch,
): Chosen | null {
  needArch(name, arch)
  const path = rememberedPath(cache, name, arch)
  if (!existsSync(path)) return null
  try {
    return chosen(cache, apt, { name, arch }, JSON.parse(readFileSync(path, 'utf8')) as Remembered)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Complaint({ text: `${path} is not what this program wrote there`, next: [`rm ${path}`] })
  }
}

/**
 * Asks Debian, and keeps what it said. A kernel of our own has to stand already (needOwnKernel): its sources are known.
 *
 * @throws Complaint (4) when its mirror has no such kernel
 */
export async function resolveLabKernel(
  cache: Cache,
  apt: string,
  name: KernelName,
  arch: GuestArch,
  signal: AbortSignal,
): Promise<Chosen> {
  needArch(name, arch)
  const kernel = isSeries(name) ? { kernel: await resolveKernel(apt, name, signal) } : {}
  const said: Remembered = { ...kernel, busybox: await resolveBusybox(apt, arch, signal) }
  cache.writeWhole(rememberedPath(cache, name, arch), `${JSON.stringify(said, null, 2)}\n`)
  const found = chosen(cache, apt, { name, arch }, said)
  if (!found) throw new Error(`resolveLabKernel: the sources of ${name} were not asked for yet`)
  return found
}

/** What a cold dry run prints in the place of resolveLabKernel(): the same questions, kept in shell variables. */
export function askLabKernel(
  cache: Cache,
  apt: string,
  name: KernelName,
  arch: GuestArch,
): Chosen & { commands: Command[] } {
  needArch(name, arch)
  const { busybox, commands } = askBusybox(apt, arch)
  const asked = isSeries(name) ? askKernel(apt, name) : askSource(apt)
  return {
    ...chosen(cache, apt, { name, arch }, { ...asked, busybox })!,
    commands: [...asked.commands, ...commands],
  }
}
