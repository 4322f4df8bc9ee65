// SPDX-License-Identifier: MIT
//
// A board played by QEMU: its device tree with the lab's overlay in it, the guest's first file system, and the words that
// boot it. QEMU writes /memory and /chosen into the tree it is given.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Board } from './board.ts'
import { BOARDS } from './boards.ts'
import type { Cache } from './cache.ts'
import type { Command, Step } from './command.ts'
import { type DebianBusybox, busyboxPlace } from './debian_kernel.ts'
import { guestInit, guestPlace } from './guest_init.ts'
import type { GuestBuild } from './guest_build.ts'
import type { Source } from './guest_sources.ts'
import type { LabKernel } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import type { LabBoot } from './lab_schema.ts'
import { contentKey } from './cache.ts'
import { findCommand } from './tools.ts'

const QUICK_LIMIT_S = 60

/** Seconds that `timeout` adds to our own limit: it is there for the case that we are gone ourselves. */
const BELT_S = 10

export interface BoardPlan {
  readonly initramfs: Step
  /** Makes the tree, when the board does not make it itself while it starts. */
  readonly deviceTree: Step | null
  /** Writes the tree as the kernel gets it, when it is to be kept. */
  readonly handedOver: Step | null
  readonly qemu: Extract<Command, { do: 'exec' }>
  /** The kernel's command line. */
  readonly cmdline: string
  /** The folder of this run. */
  readonly run: string
}

/**
 * The command line of a boot: one fixed layout (no KASLR), and a fault ends it. The console is quiet, save for a boot that
 * a model is compared with: it tells every reservation from the first line on, more than the log buffer holds.
 */
export function kernelCmdline(lab: Lab, boot: LabBoot): string {
  const { console, cmdline, earlycon } = boardOf(lab)
  const own = [cmdline, lab.board?.cmdline, boot.cmdline].filter((each) => each !== undefined && each !== '')
  const tell = earlycon === null ? 'quiet log_buf_len=4M memblock=debug' : `${earlycon} memblock=debug`
  const talk = boot.compare === undefined ? 'quiet' : tell
  return [`${console} panic=-1 oops=panic nokaslr ${talk}`, ...own].join(' ')
}

const boardOf = (lab: Lab): Board => BOARDS[lab.board?.machine ?? 'virt']

// newc archive of: busybox, init, modules, programs. Same content, same bytes: fixed order, owner and no times.
function initramfsStep(
  cache: Cache,
  boot: LabBoot,
  busybox: DebianBusybox,
  builds: readonly GuestBuild[],
  end: Board['end'],
): { step: Step; file: string } {
  const init = guestInit(boot, end)
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

// A tree is named by all that it is made from: QEMU itself, the words it is started with, the board's file, the overlay
// and what overlays include.
function treeKey(
  root: string,
  overlay: Source | undefined,
  changes: string | undefined,
  words: readonly string[],
): string {
  const qemu = findCommand(words[0] ?? '')
  const { size = 0, mtimeMs = 0 } = qemu ? statSync(qemu) : {}
  const texts = overlay
    ? [
        overlay.patched ?? readFileSync(overlay.from),
        ...includedBy(root, dirname(overlay.path)).map((file) => readFileSync(join(root, file))),
      ]
    : []
  const changed = changes === undefined ? [] : [readFileSync(join(root, changes))]
  return contentKey(`${size} ${mtimeMs}`, ...words, ...texts, ...changed)
}

const includedBy = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.dtsi'))
    .map((name) => `${folder}/${name}`)

// The board's own tree, changed to fit what QEMU plays, and the lab's overlay in it.
function treeStep(
  cache: Cache,
  lab: Lab,
  source: Source | undefined,
  kernel: LabKernel,
  bare: (dump: string) => string[],
): { step: Step; file: string } | null {
  const { tree } = boardOf(lab)
  if (tree.from === 'qemu' && source === undefined) return null
  const changes = tree.from === 'kernel' ? tree.changes : undefined
  const key = treeKey(lab.root, source, changes, [...bare(''), JSON.stringify(tree)])
  const final = cache.path('trees', tree.from === 'qemu' ? key : `${kernel.key}-${key}`)
  const part = cache.part(final)
  const quick = (argv: string[]): Command => ({ do: 'exec', argv, limit: QUICK_LIMIT_S })
  const own = join(part, 'own.dtb')
  const file = 'board.dtb'
  const overlay = join(part, 'overlay.dtbo')
  const dtc = (from: string, to: string, ...words: string[]): Command =>
    quick(['dtc', '-q', '-I', from, '-O', to, ...words])
  const fetched: Command[] =
    tree.from === 'qemu'
      ? [quick(bare(own))]
      : changes === undefined
        ? [{ do: 'copy', from: join(kernel.dtbs, tree.file), to: own }]
        : [
            dtc('dtb', 'dts', '-o', join(part, 'kernel.dts'), join(kernel.dtbs, tree.file)),
            dtc('dts', 'dtb', '-i', part, '-o', own, join(lab.root, changes)),
          ]
  // A patched overlay is compiled here; what it includes is still found beside the original.
  const text = typeof source?.patched === 'string' ? join(part, 'overlay.dtso') : null
  const whole: Command[] =
    source === undefined
      ? [{ do: 'copy', from: own, to: join(part, file) }]
      : [
          ...(text === null ? [] : [{ do: 'write', path: text, text: source.patched ?? '' } as const]),
          quick([
            ...['dtc', '-q', '-@', '-I', 'dts', '-O', 'dtb', '-i', dirname(source.from)],
            ...['-o', overlay, text ?? source.from],
          ]),
          quick(['fdtoverlay', '-i', own, '-o', join(part, file), overlay]),
        ]
  return {
    file: join(final, file),
    step: {
      title:
        source === undefined ? 'take the board’s tree' : `put ${source.path} into the board’s device tree`,
      makes: { final, part },
      commands: [...fetched, ...whole],
    },
  }
}

/** How one boot is prepared and run; everything of its own lands in `run`. */
export function planBoard(
  cache: Cache,
  lab: Lab,
  boot: LabBoot,
  parts: {
    kernel: LabKernel
    busybox: DebianBusybox
    builds: readonly GuestBuild[]
    run: string
    limit: number
    keep: boolean
    /** The boot's overlay. */
    tree: Source | undefined
  },
): BoardPlan {
  const { kernel, busybox, builds, run, limit } = parts
  const board = boardOf(lab)
  const { cpu = board.cpus[0], smp = board.smp } = lab.board ?? {}
  const ram = boot.ram ?? lab.board?.ram ?? board.ram
  const { step: initramfs, file: initrd } = initramfsStep(cache, boot, busybox, builds, board.end)
  const cmdline = kernelCmdline(lab, boot)
  const iommu = boot.iommu === undefined ? '' : `,iommu=${boot.iommu}`
  const machine = (dump: string): string[] => [
    ...[board.qemu, '-M', `${board.machine}${iommu}${dump === '' ? '' : `,dumpdtb=${dump}`}`],
    ...(cpu === undefined ? [] : ['-cpu', cpu]),
    ...['-smp', String(smp), '-m', ram, '-nodefaults', '-display', 'none'],
    ...(board.more ?? []),
    ...(lab.board?.skipIdle ? ['-icount', 'shift=auto,sleep=off'] : []),
    ...(lab.board?.countInstructions ? ['-icount', 'shift=0,sleep=off'] : []),
    ...(boot.devices ?? lab.board?.devices ?? []).flatMap((device) => ['-device', device]),
  ]
  const tree = treeStep(cache, lab, parts.tree, kernel, machine)
  const boots = ['-kernel', kernel.image, '-initrd', initrd, '-append', cmdline]
  if (tree) boots.push('-dtb', tree.file)
  const handedOver: Step | null = parts.keep
    ? {
        title: 'keep the device tree that the kernel gets',
        commands: [
          { do: 'mkdir', path: run },
          { do: 'exec', argv: [...machine(join(run, 'handed-over.dtb')), ...boots], limit: QUICK_LIMIT_S },
        ],
      }
    : null
  return {
    initramfs,
    cmdline,
    run,
    deviceTree: tree?.step ?? null,
    handedOver,
    qemu: {
      do: 'exec',
      argv: [
        ...['timeout', '--kill-after=5', String(limit + BELT_S), ...machine('')],
        ...[...board.serial, '-no-reboot', ...boots],
      ],
      stdin: '/dev/null',
      limit,
    },
  }
}
