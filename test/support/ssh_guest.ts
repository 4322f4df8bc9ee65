// SPDX-License-Identifier: MIT
//
// A board for the tests of `contig lab --on ssh:…`: Debian's kernel in QEMU, with Debian's own OpenSSH server in a first
// file system made for it, and the serial line as a second way in, for looking at what the first one left behind.
//
//     const guest = await SshGuest.boot({ cache, tree: 'kernel/dts/reserved-coherent.dtso', folder })
//     await guest.sh('cat /proc/modules')
//     await guest.link(false)
//     await guest.stop()
//
// Everything is fetched by the same private apt as the labs' kernels and cached by content; keys are made for each boot.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Cache, contentKey } from '../../code/lab/cache.ts'
import type { Command, Step } from '../../code/lab/command.ts'
import { busyboxPlace, busyboxStep } from '../../code/lab/debian_kernel.ts'
import { hostSources } from '../../code/lab/debian_sources.ts'
import { type Hands, perform } from '../../code/lab/execute.ts'
import { type Chosen, rememberedKernel, resolveLabKernel } from '../../code/lab/kernel_choice.ts'
import { downloadCommand, privateAptStep, showPackages } from '../../code/lab/private_apt.ts'
import { root } from './files.ts'

const PACKAGES = [
  ...[
    'openssh-server',
    'sudo',
    'libpam-modules',
    'libc6',
    'zlib1g',
    'libaudit1',
    'libcap-ng0',
    'libcom-err2',
  ],
  ...[
    'libcrypt1',
    'libgssapi-krb5-2',
    'libkrb5-3',
    'libk5crypto3',
    'libkrb5support0',
    'libkeyutils1',
    'libpam0g',
  ],
  ...[
    'libselinux1',
    'libpcre2-8-0',
    'libssl3',
    'libsystemd0',
    'libwrap0',
    'libnsl2',
    'libtirpc3',
    'liblzma5',
  ],
  ...['libzstd1', 'liblz4-1', 'libgcrypt20', 'libgpg-error0', 'libcap2', 'libgcc-s1'],
  // What Debian has in the place of busybox.
  ...[
    'bash',
    'dash',
    'coreutils',
    'grep',
    'sed',
    'kmod',
    'util-linux',
    'mount',
    'libacl1',
    'libattr1',
    'libgmp10',
  ],
  ...['libtinfo6', 'libkmod2', 'libsmartcols1', 'libmount1', 'libblkid1', 'libuuid1'],
]
const DEBIAN_TOOLS =
  'bash dash cat chmod dd df env head mkdir mv rm rmdir sleep uname wc tr id grep sed dmesg kmod mount umount base64'

const MODULES = ['failover', 'net_failover', 'virtio_net']
const LIMIT_S = 300

interface GuestFiles {
  readonly kernel: Chosen['kernel']
  /** `6.12.117+deb12-arm64`. */
  readonly release: string
  /** The archive of everything that is the same for every boot. */
  readonly archive: string
}

// Files of the packages that the guest needs; everything else of them stays behind.
const PICK = `set -eu
part=$1 modules=$2
cd "$part"
mkdir all
for deb in debs/*.deb; do
	case $deb in
	debs/linux-image-*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C all --wildcards $(for m in $modules; do echo "*/$m.ko*"; done) ;;
	*) dpkg -x "$deb" all ;;
	esac
done
mkdir -p root/bin root/modules root/lib root/usr/sbin root/usr/bin root/usr/libexec/sudo root/lib/security
find all -name '*.ko.xz' -exec xz -d {} +
find all -name '*.ko' -exec cp {} root/modules \\;
cp all/usr/sbin/sshd root/usr/sbin
cp -p all/usr/bin/sudo root/usr/bin
cp all/usr/libexec/sudo/*.so* root/usr/libexec/sudo
find all -name pam_permit.so -exec cp {} root/lib/security \\;
mkdir -p root/debian/bin
for name in ${DEBIAN_TOOLS}; do
	for place in all/bin all/sbin all/usr/bin all/usr/sbin; do
		[ -e "$place/$name" ] && cp "$place/$name" root/debian/bin
	done
	[ -e "root/debian/bin/$name" ] || { echo "no $name" >&2; exit 1; }
done
ln -s dash root/debian/bin/sh
ln -s kmod root/debian/bin/insmod
ln -s kmod root/debian/bin/rmmod
# Libraries by what asks for them.
todo="$(find root/debian/bin -type f) all/usr/sbin/sshd all/usr/bin/sudo $(echo all/usr/libexec/sudo/*.so) $(find all -name pam_permit.so)"
while [ -n "$todo" ]; do
	next=
	for file in $todo; do
		for name in $(aarch64-linux-gnu-readelf -d "$file" | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p'); do
			[ -e "root/lib/$name" ] || [ -e "root/usr/libexec/sudo/$name" ] && continue
			found=$(find all -name "$name" | head -n 1)
			[ -n "$found" ] || { echo "no $name for $file" >&2; exit 1; }
			cp -L "$found" "root/lib/$name"
			next="$next $found"
		done
	done
	todo=$next
done
rm -rf all debs
`

const HANDS = (cache: Cache): Hands => ({
  cache,
  signal: new AbortController().signal,
  progress: () => undefined,
})

/** Fetches and packs what is the same for every boot. */
export async function guestFiles(cache: Cache): Promise<GuestFiles> {
  const hands = HANDS(cache)
  cache.open()
  const apt = cache.part(cache.path('apt'))
  let ready = false
  const open = async (): Promise<void> => {
    if (!ready) await perform(privateAptStep(apt, hostSources(), 'arm64'), hands)
    ready = true
  }
  try {
    let chosen = rememberedKernel(cache, apt, '6.12', 'arm64')
    if (!chosen) {
      await open()
      chosen = await resolveLabKernel(cache, apt, '6.12', 'arm64', hands.signal)
    }
    const { kernel, busybox } = chosen
    for (const step of [...kernel.fetch, busyboxStep(cache, apt, busybox)]) {
      if (step.makes && !existsSync(step.makes.final)) await open()
      await perform(step, hands)
    }
    const release = kernel.headers.replace(/^.*linux-headers-/, '')
    const names = [...PACKAGES, `linux-image-${release}`]
    const pointer = cache.path('debian', `ssh-guest-${contentKey(release, busybox.key, PICK, ...names)}`)
    if (existsSync(pointer)) {
      const archive = cache.path('initramfs', readFileSync(pointer, 'utf8').trim(), 'guest.cpio.gz')
      if (existsSync(archive)) return { kernel, release, archive }
    }
    await open()
    const records = await showPackages(apt, names, hands.signal)
    const key = `ssh-guest-${contentKey(PICK, busybox.key, ...records.map(({ sha256 }) => sha256).sort())}`
    const wanted = records.map(({ name, version }) => `${name}=${version}`)
    await perform(packStep(cache, apt, key, wanted, busyboxPlace(cache, busybox)), hands)
    cache.writeWhole(pointer, `${key}\n`)
    return { kernel, release, archive: join(cache.path('initramfs', key), 'guest.cpio.gz') }
  } finally {
    rmSync(apt, { recursive: true, force: true })
  }
}

function packStep(cache: Cache, apt: string, key: string, wanted: string[], busybox: string): Step {
  const final = cache.path('initramfs', key)
  const part = cache.part(final)
  const exec = (argv: string[]): Command => ({ do: 'exec', argv, limit: LIMIT_S })
  const pack = 'cd "$1/root" && find . | sort | cpio --quiet -o -H newc -R +0:+0 | gzip -1 > ../guest.cpio.gz'
  return {
    title: 'pack an SSH server for the guest',
    makes: { final, part },
    commands: [
      { do: 'mkdir', path: join(part, 'debs') },
      downloadCommand(apt, wanted, join(part, 'debs')),
      exec(['sh', '-c', PICK, 'sh', part, MODULES.join(' ')]),
      { do: 'copy', from: busybox, to: join(part, 'root/bin/busybox') },
      exec(['sh', '-c', pack, 'sh', part]),
      { do: 'remove', path: join(part, 'root') },
    ],
  }
}

// The guest's first program: a network, the server, and a shell on the serial line that reads whole commands.
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/empty /root /home
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
ln -s /bin/busybox /usr/bin/env
export PATH=/bin:/usr/bin:/usr/sbin HOME=/root
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /run/sshd /run/mount
mount -t devpts devpts /dev/pts
mount -t securityfs securityfs /sys/kernel/security
mount -t tmpfs -o mode=1777 tmpfs /tmp
chmod 600 /etc/ssh/host_* /etc/ssh/other_*
chmod 440 /etc/sudoers
chmod 755 / /etc /etc/ssh /etc/ssh/keys /var/empty
chown -R 0:0 /etc /usr
chmod 4755 /usr/bin/sudo
dmesg -n 1
for module in failover net_failover virtio_net; do insmod /modules/$module.ko || echo "@guest no $module"; done
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
/usr/sbin/sshd -f /etc/ssh/sshd_config -E /run/sshd.log || echo "@guest no sshd: $(cat /run/sshd.log)"
stty -echo -opost < /dev/console
touch /run/booted
echo "@guest up"
# Not the shell itself: on a terminal it would prompt.
while read -r line; do eval "$line"; done < /dev/console
`

const SSHD_CONFIG = `Port 22
HostKey /etc/ssh/host_ed25519
AuthorizedKeysFile /etc/ssh/keys/%u
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UseDNS no
PidFile /run/sshd.pid
MaxStartups 100
Match User deb
	SetEnv PATH=/debian/bin
`

// root; root as Debian has it, without busybox; a user without rights; one with sudo.
const PASSWD = [
  'root:*:0:0::/root',
  'deb:*:0:0::/root',
  'student:*:1000:1000::/',
  'maker:*:1001:1001::/',
  'sshd:*:100:100::/',
]
const SUDOERS = 'root ALL=(ALL) ALL\nmaker ALL=(ALL) NOPASSWD: ALL\n'
const PAM =
  'auth sufficient pam_permit.so\naccount sufficient pam_permit.so\nsession sufficient pam_permit.so\n'

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const keygen = (file: string): void => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'contig-test', '-f', file])
}

export interface GuestChoice {
  readonly cache: Cache
  /** A folder of the test's own, for keys and files. */
  readonly folder: string
  /** An overlay for the board's tree. */
  readonly tree?: string
  readonly ram?: string
  readonly cmdline?: string
}

export class SshGuest {
  readonly port: number
  readonly release: string
  /** An SSH configuration for `ssh -F`: this key, this known hosts file, and nothing of the machine's. */
  readonly config: string
  readonly folder: string
  private readonly child: ChildProcess
  private readonly qmp: string
  private said = ''
  private count = 0
  private waiting: (() => void)[] = []

  private constructor(child: ChildProcess, what: { port: number; folder: string; release: string }) {
    this.child = child
    this.port = what.port
    this.folder = what.folder
    this.release = what.release
    this.config = join(what.folder, 'ssh_config')
    this.qmp = join(what.folder, 'qmp')
    child.stdout?.on('data', (piece: Buffer) => {
      this.said += piece.toString('utf8').replaceAll('\r', '')
      for (const wake of this.waiting.splice(0)) wake()
    })
    child.stderr?.on('data', (piece: Buffer) => (this.said += piece.toString('utf8')))
  }

  /** Everything that the serial line has said. */
  get console(): string {
    return this.said
  }

  static async boot(choice: GuestChoice): Promise<SshGuest> {
    const { kernel, archive, release } = await guestFiles(choice.cache)
    const { folder } = choice
    const port = await freePort()
    const initrd = makeInitrd(folder, archive)
    writeSshFiles(folder, port)
    const machine = (dump: string): string[] => [
      ...['-M', `virt${dump}`, '-cpu', 'cortex-a53', '-smp', '2', '-m', choice.ram ?? '1G', '-nodefaults'],
      ...[
        '-netdev',
        `user,id=n0,hostfwd=tcp:127.0.0.1:${port}-:22`,
        '-device',
        'virtio-net-pci,netdev=n0,id=net0,romfile=',
      ],
    ]
    const dtb = join(folder, 'board.dtb')
    const bare = join(folder, 'virt.dtb')
    execFileSync('qemu-system-aarch64', [...machine(`,dumpdtb=${bare}`), '-display', 'none'], {
      stdio: 'ignore',
      timeout: 60_000,
    })
    if (choice.tree === undefined) copyFileSync(bare, dtb)
    else {
      const overlay = join(folder, 'board.dtbo')
      execFileSync('dtc', ['-q', '-@', '-I', 'dts', '-O', 'dtb', '-o', overlay, join(root, choice.tree)])
      execFileSync('fdtoverlay', ['-i', bare, '-o', dtb, overlay])
    }
    const append = `console=ttyAMA0 panic=-1 nokaslr quiet rdinit=/guest-init ${choice.cmdline ?? ''}`
    const child = spawn(
      'timeout',
      [
        ...['--kill-after=5', '2400', 'qemu-system-aarch64', ...machine('')],
        ...[
          '-display',
          'none',
          '-serial',
          'stdio',
          '-no-reboot',
          '-qmp',
          `unix:${join(folder, 'qmp')},server=on,wait=off`,
        ],
        ...['-kernel', kernel.image, '-initrd', initrd, '-dtb', dtb, '-append', append],
      ],
      { stdio: 'pipe', detached: true },
    )
    const guest = new SshGuest(child, { port, folder, release })
    await guest.until(/^@guest up\r?\n/m, 300)
    return guest
  }

  private async until(pattern: RegExp, seconds: number): Promise<RegExpExecArray> {
    const end = Date.now() + seconds * 1000
    for (;;) {
      const match = pattern.exec(this.said)
      if (match) return match
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > end)
        throw new Error(`the guest did not say ${pattern.source}; it said:\n${this.said.slice(-3000)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 250)
        this.waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Runs a command of one line by the serial line, as root; gives what it printed. */
  async sh(command: string, seconds = 30): Promise<string> {
    const mark = `${++this.count}`
    this.child.stdin?.write(`{ ${command}; } < /dev/null 2>&1; echo "@guest end ${mark}"\n`)
    const from = this.said.length
    const match = await this.until(new RegExp(`^@guest end ${mark}\\r?\\n`, 'm'), seconds)
    return this.said.slice(from, match.index)
  }

  /** Pulls the network cable, or puts it back. */
  async link(up: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection(this.qmp)
      let heard = ''
      socket.on('error', reject)
      socket.on('data', (piece) => {
        heard += piece.toString()
        if ((heard.match(/"return"/g) ?? []).length >= 2) {
          socket.end()
          resolve()
        }
      })
      socket.write('{"execute":"qmp_capabilities"}\n')
      socket.write(`{"execute":"set_link","arguments":{"name":"net0","up":${up}}}\n`)
    })
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null
    if (ended() || this.child.pid === undefined) return
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()))
    process.kill(-this.child.pid, 'SIGKILL')
    await gone
  }
}

// What is this boot's own: keys, accounts, the first program. A second archive behind the first.
function makeInitrd(folder: string, archive: string): string {
  const own = join(folder, 'own')
  const keys = join(own, 'etc/ssh/keys')
  mkdirSync(keys, { recursive: true })
  mkdirSync(join(own, 'etc/pam.d'))
  keygen(join(folder, 'key'))
  keygen(join(own, 'etc/ssh/host_ed25519'))
  keygen(join(folder, 'stranger'))
  copyFileSync(join(own, 'etc/ssh/host_ed25519.pub'), join(folder, 'host.pub'))
  for (const user of ['root', 'deb', 'student', 'maker'])
    copyFileSync(join(folder, 'key.pub'), join(keys, user))
  const write = (name: string, text: string, mode = 0o644): void =>
    writeFileSync(join(own, name), text, { mode })
  write('etc/ssh/sshd_config', SSHD_CONFIG)
  write(
    'etc/passwd',
    PASSWD.map((line) => `${line}:${line.startsWith('deb') ? '/debian/bin/bash' : '/bin/sh'}\n`).join(''),
  )
  write('etc/group', PASSWD.map((line) => line.replace(/^(\w+):\*:\d+:(\d+).*/, '$1:x:$2:\n')).join(''))
  write('etc/os-release', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
  write('etc/sudoers', SUDOERS, 0o440)
  write('etc/pam.d/sudo', PAM)
  write('guest-init', INIT, 0o755)
  const initrd = join(folder, 'initrd')
  const pack = 'cd "$1" && { cat "$2"; find . | sort | cpio --quiet -o -H newc -R +0:+0 | gzip -1; } > "$3"'
  execFileSync('sh', ['-c', pack, 'sh', own, archive, initrd])
  return initrd
}

function writeSshFiles(folder: string, port: number): void {
  const [type, key] = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ')
  writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`)
  writeFileSync(
    join(folder, 'ssh_config'),
    [
      'Host *',
      `  IdentityFile ${join(folder, 'key')}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${join(folder, 'known_hosts')}`,
      '  GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n'),
  )
}

/** The names in a folder, for looking at what a test left behind. */
export const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])
