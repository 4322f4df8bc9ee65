// SPDX-License-Identifier: MIT
//
// QEMU's board `virt`, arm64: its device tree with the lab's overlay in it, the guest's first file system, and the words
// that boot it. QEMU writes /memory and /chosen into the tree it is given; the tree as the kernel gets it is dumped too,
// for a model to boot.
import { join } from 'node:path'
import type { Cache } from './cache.ts'
import type { Command, Step } from './command.ts'
import { type DebianBusybox, type DebianKernel, busyboxPlace, kernelPlaces } from './debian_kernel.ts'
import { guestInit, guestPlace } from './guest_init.ts'
import type { GuestBuild } from './guest_build.ts'
import type { Lab } from './lab_file.ts'
import type { LabBoot } from './lab_schema.ts'
import { contentKey } from './cache.ts'

const QUICK_LIMIT_S = 60

/** Seconds that `timeout` adds to our own limit: it is there for the case that we are gone ourselves. */
const BELT_S = 10

export interface BoardPlan {
  readonly initramfs: Step
  readonly deviceTree: Step
  readonly qemu: Extract<Command, { do: 'exec' }>
  /** The kernel's command line. */
  readonly cmdline: string
  /** The device tree that the kernel gets. */
  readonly fdt: string
}

/**
 * The command line of a boot: one fixed layout (no KASLR), and a fault ends it. The console is quiet, save for a boot that
 * a model is compared with: it tells every reservation from the first line on, more than the log buffer holds.
 */
export function kernelCmdline(lab: Lab, boot: LabBoot): string {
  const own = [lab.board?.cmdline, boot.cmdline].filter((each) => each !== undefined && each !== '')
  // By its address: without one, 6.1 finds the console in the tree too late, when the first lines are lost.
  const talk = boot.compare === undefined ? 'quiet' : 'earlycon=pl011,0x9000000 memblock=debug'
  return [`console=ttyAMA0 panic=-1 oops=panic nokaslr ${talk}`, ...own].join(' ')
}

// newc archive of: busybox, init, modules, programs. Same content, same bytes: fixed order, owner and no times.
function initramfsStep(
  cache: Cache,
  boot: LabBoot,
  busybox: DebianBusybox,
  builds: readonly GuestBuild[],
): { step: Step; file: string } {
  const init = guestInit(boot)
  const final = cache.path(
    'initramfs',
    `${[busybox.key, ...builds.map((build) => build.key)].join('-')}-${contentKey(init)}`,
  )
  const part = cache.part(final)
  const tree = join(part, 'root')
  const files = builds.flatMap((build) => build.files)
  const places = ['bin', 'bin/busybox', 'init', 'modules', 'programs', ...files.map(guestPlace)].sort()
  const archive = join(part, 'initramfs.cpio')
  return {
    file: join(final, 'initramfs.cpio.gz'),
    step: {
      title: 'pack the guest’s files',
      makes: { final, part },
      commands: [
        ...['bin', 'modules', 'programs'].map((name): Command => ({ do: 'mkdir', path: join(tree, name) })),
        { do: 'copy', from: busyboxPlace(cache, busybox), to: join(tree, 'bin/busybox') },
        ...files.map((file): Command => ({ do: 'copy', from: file, to: join(tree, guestPlace(file)) })),
        { do: 'write', path: join(tree, 'init'), text: init, executable: true },
        {
          do: 'exec',
          argv: ['find', tree, '-exec', 'touch', '-h', '-d', '@0', '{}', '+'],
          limit: QUICK_LIMIT_S,
        },
        { do: 'write', path: join(part, 'list'), text: `${places.join('\n')}\n` },
        {
          do: 'exec',
          argv: ['cpio', '--quiet', '--reproducible', '-o', '-H', 'newc', '-R', '+0:+0'],
          cwd: tree,
          stdin: join(part, 'list'),
          stdout: archive,
          limit: QUICK_LIMIT_S,
        },
        { do: 'exec', argv: ['gzip', '-n', '-1', archive], limit: QUICK_LIMIT_S },
        { do: 'remove', path: tree },
      ],
    },
  }
}

/** How one boot is prepared and run; everything of its own lands in `run`. */
export function planBoard(
  cache: Cache,
  lab: Lab,
  boot: LabBoot,
  parts: {
    kernel: DebianKernel
    busybox: DebianBusybox
    builds: readonly GuestBuild[]
    run: string
    limit: number
  },
): BoardPlan {
  const { kernel, busybox, builds, run, limit } = parts
  const { machine = 'virt', cpu = 'cortex-a53', smp = 2 } = lab.board ?? {}
  const ram = boot.ram ?? lab.board?.ram ?? '512M'
  const { step: initramfs, file: initrd } = initramfsStep(cache, boot, busybox, builds)
  const cmdline = kernelCmdline(lab, boot)
  const fdt = join(run, 'handed-over.dtb')
  const board = (dump: string | null): string[] => [
    ...['qemu-system-aarch64', '-M', dump === null ? machine : `${machine},dumpdtb=${dump}`],
    ...['-cpu', cpu, '-smp', String(smp), '-m', ram, '-nodefaults', '-display', 'none'],
  ]
  const quick = (argv: string[]): Command => ({ do: 'exec', argv, limit: QUICK_LIMIT_S })
  const bare = join(run, 'virt.dtb')
  const overlay = join(run, 'overlay.dtbo')
  const whole = boot.tree === undefined ? null : join(run, 'board.dtb')
  const boots = ['-kernel', kernelPlaces(cache, kernel).image, '-initrd', initrd, '-append', cmdline]
  if (whole) boots.push('-dtb', whole)
  const make: Command[] =
    boot.tree === undefined || whole === null
      ? []
      : [
          quick(board(bare)),
          quick(['dtc', '-q', '-@', '-I', 'dts', '-O', 'dtb', '-o', overlay, join(lab.root, boot.tree)]),
          quick(['fdtoverlay', '-i', bare, '-o', whole, overlay]),
        ]
  return {
    initramfs,
    cmdline,
    fdt,
    deviceTree: {
      title:
        boot.tree === undefined
          ? 'take the board’s own device tree'
          : `put ${boot.tree} into the board’s device tree`,
      commands: [{ do: 'mkdir', path: run }, ...make, quick([...board(fdt), ...boots])],
    },
    qemu: {
      do: 'exec',
      argv: [
        ...['timeout', '--kill-after=5', String(limit + BELT_S), ...board(null)],
        ...['-serial', 'stdio', '-no-reboot', ...boots],
      ],
      stdin: '/dev/null',
      limit,
    },
  }
}
