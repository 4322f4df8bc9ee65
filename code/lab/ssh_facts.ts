// SPDX-License-Identifier: MIT
//
// What a board is: asked by one script, in words that any POSIX shell has. And what of it stands in a lab's way, with a
// way out for each.
import { Complaint } from '../lib/complaint.ts'
import type { GuestArch } from './kernels.ts'
import type { SshConnection } from './ssh_connection.ts'

export interface BoardFacts {
  /** `uname -r`, `-v` and `-m`. */
  readonly release: string
  readonly version: string
  readonly machine: string
  readonly uid: number
  /** Whether `sudo -n` makes us root. */
  readonly sudo: 'yes' | 'no' | 'absent'
  /** /proc/modules is there. */
  readonly modules: boolean
  /** /proc/sys/kernel/modules_disabled. */
  readonly modulesDisabled: boolean
  /** module.sig_enforce. */
  readonly signed: boolean
  /** `none`, `integrity`, `confidentiality`; null when the kernel does not say. */
  readonly lockdown: string | null
  /** The kernel's command line. */
  readonly cmdline: string
  /** Modules that are loaded, or built in, by the names that the kernel has for them. */
  readonly loaded: readonly string[]
  /** Programs that are needed there and are not. */
  readonly missing: readonly string[]
  /** /lib/modules/<release>/build leads to a module build tree. */
  readonly buildTree: boolean
  readonly compiler: boolean
  /** PCI devices, `1234:11e8`. */
  readonly pci: readonly string[]
  /** The distribution, as /etc/os-release names it. */
  readonly system: string
}

// What the script on the board (ssh_board_script.ts) calls.
const NEEDED = [
  ...[
    'cat',
    'chmod',
    'cut',
    'df',
    'dmesg',
    'env',
    'grep',
    'head',
    'insmod',
    'kill',
    'ls',
    'mkdir',
    'mv',
    'rm',
    'rmmod',
  ],
  ...['rmdir', 'sed', 'sleep', 'uname', 'wc', 'dd'],
]

/** Folders of system programs, which a shell that nobody logged into may not look into. */
export const BOARD_PATH = 'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin; export PATH LC_ALL=C'

const QUESTIONS = `${BOARD_PATH}
fact() { echo "@fact $*"; }
release=$(uname -r)
fact release "$release"
fact version "$(uname -v)"
fact machine "$(uname -m)"
uid=$(id -u 2> /dev/null) || uid=$(sed -n 's/^Uid:[[:space:]]*\\([0-9]*\\).*/\\1/p' /proc/self/status)
fact uid "$uid"
if [ "$uid" = 0 ]; then fact sudo yes
elif command -v sudo > /dev/null 2>&1; then
	if sudo -n true > /dev/null 2>&1; then fact sudo yes; else fact sudo no; fi
else fact sudo absent; fi
[ -e /proc/modules ] && fact modules yes
# By cat: a shell reads byte by byte, and a file of /proc/sys ends after the first read.
fact modules_disabled "$(cat /proc/sys/kernel/modules_disabled 2> /dev/null)"
fact sig_enforce "$(cat /sys/module/module/parameters/sig_enforce 2> /dev/null)"
fact lockdown "$(cat /sys/kernel/security/lockdown 2> /dev/null)"
fact cmdline "$(cat /proc/cmdline 2> /dev/null)"
for name in "$@"; do [ -d "/sys/module/$name" ] && fact loaded "$name"; done
for name in ${NEEDED.join(' ')}; do command -v "$name" > /dev/null 2>&1 || fact missing "$name"; done
[ -e "/lib/modules/$release/build/Makefile" ] && fact build_tree yes
command -v make > /dev/null 2>&1 && command -v gcc > /dev/null 2>&1 && fact compiler yes
for device in /sys/bus/pci/devices/*; do
	[ -e "$device/vendor" ] && fact pci "$(cat "$device/vendor"):$(cat "$device/device")"
done
fact system "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2> /dev/null | tr -d '"')"
fact end
`

/** The facts in what the script printed; anything that a login shell printed around them is passed over. */
export function readFacts(text: string): BoardFacts | null {
  const all = (name: string): string[] =>
    text.split('\n').flatMap((line) => {
      const match = /^@fact (\S+) ?(.*?)\r?$/.exec(line)
      return match?.[1] === name ? [match[2] ?? ''] : []
    })
  const one = (name: string): string | undefined => all(name)[0]
  if (one('end') === undefined || !one('release')) return null
  const sudo = one('sudo')
  return {
    release: one('release') ?? '',
    version: one('version') ?? '',
    machine: one('machine') ?? '',
    uid: Number(one('uid') ?? Number.NaN),
    sudo: sudo === 'yes' || sudo === 'no' ? sudo : 'absent',
    modules: one('modules') === 'yes',
    modulesDisabled: one('modules_disabled') === '1',
    signed: one('sig_enforce') === 'Y',
    lockdown: /\[(\w+)\]/.exec(one('lockdown') ?? '')?.[1] ?? null,
    cmdline: one('cmdline') ?? '',
    loaded: all('loaded'),
    missing: all('missing'),
    buildTree: one('build_tree') === 'yes',
    compiler: one('compiler') === 'yes',
    pci: all('pci').map((each) => each.replaceAll('0x', '')),
    system: one('system') ?? '',
  }
}

/** The name that the kernel gives a module. */
export const kernelName = (module: string): string => module.replaceAll('-', '_')

/** Asks the board. @throws Complaint (4) when there is no shell that answers */
export async function askBoard(
  connection: SshConnection,
  modules: readonly string[],
  signal: AbortSignal,
): Promise<BoardFacts> {
  const names = modules.map(kernelName).join(' ')
  const said = await connection.run(`exec sh -s ${names}`, { input: QUESTIONS, limit: 30, signal })
  const facts = readFacts(said.stdout.toString('utf8'))
  if (facts) return facts
  const lines = `${said.stdout.toString('utf8')}\n${said.stderr}`
    .split('\n')
    .filter((line) => line.trim() !== '')
  throw new Complaint({
    text: [
      'the board gives no shell that answers',
      ...lines.slice(-4).map((line) => `  board: ${line}`),
    ].join('\n'),
    exitCode: 4,
    next: ['a lab needs an account with a POSIX shell on a running Linux'],
  })
}

/** The architecture that programs and modules are built for. Null: none that is known here. */
export function boardArch({ machine }: BoardFacts): GuestArch | null {
  if (machine === 'aarch64') return 'arm64'
  // The cross compiler's C library is made for ARMv7.
  return /^armv7/.test(machine) ? 'arm' : null
}

const cannot = (text: string, ...next: string[]): Complaint => new Complaint({ text, exitCode: 4, next })

/** The first thing that keeps this board from running a lab with these modules; null when nothing does. */
export function obstacle(facts: BoardFacts, where: string, modules: readonly string[]): Complaint | null {
  if (boardArch(facts) === null)
    return cannot(
      `${where} is a ${facts.machine}; modules and programs are built for aarch64 and armv7l alone`,
      'run the lab on the virtual board instead: leave --on out',
    )
  if (facts.missing.length > 0)
    return cannot(
      `${where} lacks programs that a lab needs there: ${facts.missing.join(', ')}`,
      'on Debian: apt install coreutils util-linux kmod grep sed procps; with busybox: one built with these applets',
    )
  if (facts.uid !== 0 && facts.sudo !== 'yes')
    return cannot(
      facts.sudo === 'absent'
        ? `${where}: only root loads modules; this account is not root, and the board has no sudo`
        : `${where}: only root loads modules; this account is not root, and sudo there asks for a password`,
      facts.sudo === 'absent'
        ? 'log in as root: --on ssh:root@…'
        : 'log in as root, or let this account use sudo without one (NOPASSWD in /etc/sudoers.d)',
    )
  if (modules.length === 0) return null
  if (!facts.modules)
    return cannot(
      `${where}: its kernel has no loadable modules (CONFIG_MODULES is off)`,
      'it needs another kernel',
    )
  if (facts.modulesDisabled)
    return cannot(
      `${where}: loading modules was switched off until the next boot (kernel.modules_disabled is 1)`,
      'reboot the board without what sets it: look for modules_disabled in /etc/sysctl.conf and /etc/sysctl.d',
    )
  if (facts.signed)
    return cannot(
      `${where}: its kernel takes signed modules alone (module.sig_enforce), and ours are not signed`,
      'boot it without module.sig_enforce=1 on the kernel’s command line; a kernel with CONFIG_MODULE_SIG_FORCE needs its key',
    )
  if (facts.lockdown !== null && facts.lockdown !== 'none')
    return cannot(
      `${where}: its kernel is locked down (${facts.lockdown}), and takes signed modules alone`,
      'boot it without lockdown= on the kernel’s command line, and with secure boot switched off',
    )
  const busy = modules.map(kernelName).filter((name) => facts.loaded.includes(name))
  if (busy.length > 0)
    return cannot(
      `${where}: ${busy.join(', ')} ${busy.length === 1 ? 'is' : 'are'} loaded there already, by somebody else`,
      `when nobody needs it: rmmod ${busy.join(' ')}`,
    )
  return null
}
