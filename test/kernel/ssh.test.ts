// SPDX-License-Identifier: MIT
//
// Labs on a board over SSH: a real OpenSSH client, and a guest in QEMU with a real OpenSSH server and Debian's kernel.
// One guest serves them all, in this order: what cannot be taken back (signature enforcement, lockdown) comes last. What
// a run leaves behind is looked at by the guest's serial line, which SSH has no part in.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Cache } from '../../code/lab/cache.ts'
import { buildModules } from '../../code/lab/guest_build.ts'
import { guestSources } from '../../code/lab/guest_sources.ts'
import { rememberedKernel } from '../../code/lab/kernel_choice.ts'
import { type Lab, loadLab } from '../../code/lab/lab_file.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { livingGroups } from '../../code/lab/process_group.ts'
import type { SshAddress } from '../../code/lab/ssh_address.ts'
import { runLabOverSsh, type SshBoard, type SshLabResult, type SshRunOptions } from '../../code/lab/ssh_run.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'
import { SshGuest } from '../support/ssh_guest.ts'

const project = root.replace(/\/$/, '')
const fixture = 'test/kernel/fixtures/ssh-board/lab.yaml'
const missing = missingTools(['board', 'ssh']).map((tool) => tool.package)
const SILENCE_S = 4

// What every run leaves out for its time; `npm run mutants` sets the word.
const longer = (process.env['CONTIG_LONG'] === '1' ? it : () => undefined) as typeof it

describe.skipIf(missing.length > 0)(`contig lab --on ssh:… ${missing.join(' ')}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'contig-ssh-test-'))
  const cache = new Cache()
  const lab = loadLab(fixture, project)
  const bundle = join(root, 'dist', `ssh-test-${process.pid}`)
  let guest: SshGuest
  let before = ''

  beforeAll(async () => {
    const entryPoints = [join(root, 'code/cli/contig.ts')]
    const shape = { bundle: true, splitting: true, packages: 'external', platform: 'node', format: 'esm' } as const
    await build({ ...shape, entryPoints, outdir: bundle, target: 'node20', logLevel: 'warning' })
    guest = await SshGuest.boot({ cache, folder, tree: 'kernel/dts/reserved-coherent.dtso', ram: '3G' })
    // The first connection makes what a server makes once.
    execFileSync('ssh', ['-F', guest.config, '-p', String(guest.port), 'root@127.0.0.1', 'true'])
  }, 900_000)

  afterAll(async () => {
    await guest?.stop()
    rmSync(folder, { recursive: true, force: true })
    rmSync(bundle, { recursive: true, force: true })
  })

  // Everything on the board that a run could leave: files, modules, processes, mounts, trace instances.
  async function state(): Promise<string> {
    const files = 'find / /tmp /dev/shm -xdev ! -path "/proc/*" ! -path "/sys/*" ! -path /run/sshd.log | sort'
    const processes = 'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo; done 2> /dev/null | grep . | grep -v "^sshd: .*\\(root\\|deb\\|maker\\|student\\|priv\\|notty\\)" | grep -v "^tr \\|^grep \\|^sort" | sort -u'
    const rest = 'cut -d" " -f1,3 /proc/modules; cut -d" " -f2,3 /proc/mounts; ls /sys/kernel/tracing/instances'
    return guest.sh(`${files}; echo ----; ${processes}; echo ----; ${rest}`)
  }

  // What is being cleaned up is given a moment: sshd and init have to notice it too.
  async function expectAsBefore(seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000
    let now = await state()
    while (now !== before && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      now = await state()
    }
    expect(now).toBe(before)
  }

  beforeEach(async () => {
    before = await state()
  })
  afterEach(() => {
    expect(livingGroups()).toEqual([])
  })

  const address = (user = 'root'): SshAddress => ({ host: '127.0.0.1', user, port: guest.port })
  const board = (more: Partial<SshBoard> = {}): SshBoard => ({ address: address(), config: guest.config, ...more })
  const run = (boots: string[], more: Partial<SshBoard> = {}, options: SshRunOptions = {}): Promise<SshLabResult> =>
    runLabOverSsh(lab, board(more), { cache, boots, silence: SILENCE_S, ...options })
  const wrong = (result: SshLabResult): string[] =>
    result.boots.flatMap(({ checks }) => checks.filter(({ ok }) => !ok).flatMap((each) => [each.name, ...each.lines]))

  async function refused(work: Promise<unknown>): Promise<{ code: number; text: string; next: string }> {
    const error = await work.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof Complaint)) throw error ?? new Error('it was not refused')
    return { code: error.exitCode, text: error.message, next: error.next.join('\n') }
  }

  interface Cli {
    readonly child: ChildProcess
    readonly temp: string
    said: string
    readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>
  }

  // The real program; its temporary folder is the test's own, so that what it leaves there is seen.
  function contig(words: readonly string[]): Cli {
    const temp = mkdtempSync(join(folder, 't-'))
    const env = { ...process.env, TMPDIR: temp, XDG_RUNTIME_DIR: '', NO_COLOR: '1' }
    const child = spawn(process.execPath, [join(bundle, 'contig.js'), 'lab', ...words], { env, stdio: 'pipe' })
    let stdout = ''
    child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString('utf8')))
    const cli: Cli = {
      child,
      temp,
      said: '',
      ended: new Promise((resolve) =>
        child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr: cli.said })),
      ),
    }
    child.stderr?.on('data', (piece: Buffer) => (cli.said += piece.toString('utf8')))
    return cli
  }
  const words = (name: string, user = 'root'): string[] => [
    ...[name, '--on', `ssh:${user}@127.0.0.1:${guest.port}`, '--ssh-config', guest.config],
  ]

  // The fixture with one boot alone, for the command line, which has no word for that.
  function labFile(boot: string): string {
    const text = readFileSync(join(root, fixture), 'utf8')
    const [head, ...boots] = text.split(/^(?= {2}- name: )/m)
    const file = join(folder, `${boot}.yaml`)
    // A program's entry looks like a boot's.
    writeFileSync(file, [head, ...boots.filter((each) => !/^ {4}(steps|cmdline|compare):/m.test(each) || each.includes(`name: ${boot}\n`))].join(''))
    return file
  }

  async function untilLoaded(name: string): Promise<void> {
    for (let tries = 0; tries < 240; tries++) {
      if ((await guest.sh('pidof held_test; cut -d" " -f1 /proc/modules')).match(new RegExp(`^\\d+\\n(.*\\n)*${name}$`, 'm'))) return
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    throw new Error(`${name} is not loaded there`)
  }

  // Processes of this machine that hold the connection of a program's own temporary folder.
  const holding = (temp: string): string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        } catch {
          return ''
        }
      })
      .filter((line) => line.includes(temp))

  async function expectNothingHere(temp: string, seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000
    while ((holding(temp).length > 0 || readdirSync(temp).length > 0) && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(holding(temp)).toEqual([])
    expect(readdirSync(temp)).toEqual([])
  }

  describe('runs', () => {
    it('a lab from its first step to its last, with its trace, and leaves nothing', async () => {
      const result = await run(['whole'])
      expect(wrong(result)).toEqual([])
      const [boot] = result.boots
      expect(result.verdict).toBe('passed')
      expect(boot?.ktap.map(({ counts }) => counts.passed)).toEqual([1])
      expect(boot?.collected['version']).toContain(`Linux version ${guest.release}`)
      expect(boot?.collected['trace']).toMatch(/module_load: held/)
      expect(boot?.dmesg).toContain('held: here')
      expect(boot?.dmesg.join('\n')).not.toContain('Booting Linux')
      expect(existsSync(boot?.log ?? '')).toBe(true)
      await expectAsBefore()
    })

    longer('with Debian’s shell and tools in the place of busybox’s', async () => {
      const result = await run(['whole', 'forgets'], { address: address('deb') })
      expect(wrong(result)).toEqual(['nothing is left behind', expect.stringMatching(/^still loaded: held /)])
      expect(result.boots.map(({ verdict }) => verdict)).toEqual(['passed', 'failed'])
      await expectAsBefore()
    })

    longer('as root by sudo, for an account that may use it without a password', async () => {
      const result = await run(['whole'], { address: address('maker') })
      expect(wrong(result)).toEqual([])
      await expectAsBefore()
    })

    it('reserved-coherent on a board that was booted with its tree: one JSON object, exit code 0', async () => {
      const { code, stdout, stderr } = await contig([...words('reserved-coherent'), '--json']).ended
      expect(stderr).toContain('run reserved_coherent_test')
      const result = JSON.parse(stdout) as SshLabResult
      expect(wrong(result)).toEqual([])
      expect(result.boots[0]?.ktap.map(({ counts }) => counts.failed)).toEqual([0, 0])
      expect([result.verdict, result.board.release, code]).toEqual(['passed', guest.release, 0])
      await expectAsBefore()
    })

    it('tells what a lab got wrong, with exit code 1', async () => {
      const { code, stdout } = await contig(words(labFile('fails'))).ended
      expect(stdout).toContain('not ok run held_test\n           missing: ok 2 never')
      expect(stdout).toContain('ok     the board is as it was found')
      expect(code).toBe(1)
      await expectAsBefore()
    })

    it('ends a step that takes too long, with what holds the device open', async () => {
      const result = await run(['stays'], {}, { timeout: 5 })
      expect(wrong(result)).toContain('it did not end within 5 s, during “run held_test --stay”')
      expect(result.boots[0]?.checks.at(-1)).toEqual({ name: 'the board is as it was found', ok: true, lines: [] })
      await expectAsBefore()
    })

    longer('from another folder where /tmp runs no programs', async () => {
      await guest.sh('mount -o remount,noexec /tmp')
      before = await state()
      const result = await run(['whole'])
      await expectAsBefore()
      await guest.sh('mount -o remount,exec /tmp')
      expect(wrong(result)).toEqual([])
    })
  })

  // The guest has no compiler: a script stands for make, and checks what it is given. Everything else is as on a board
  // that carries its headers: sources go there, the module comes back to be looked at, and is loaded.
  describe('builds on the board', () => {
    const sources = 'Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\nTrusted: yes\n'
    const there = 'test/kernel/fixtures/ssh-board/held'
    const noTree = (): SshRunOptions => ({ cache: new Cache(join(folder, 'cache-without')), sources })

    async function putMake(end: string): Promise<void> {
      const tree = `/lib/modules/${guest.release}/build`
      const make = `#!/bin/sh
[ "$1 $2" = "-C ${tree}" ] || exit 3
folder=\${3#M=}
grep -q '^obj-m := ${there}/$' "$folder/Kbuild" || exit 4
grep -q held_read "$folder/${there}/held.c" || exit 5
${end}
`
      const put = `mkdir -p ${tree}; touch ${tree}/Makefile; cat > /usr/bin/make; chmod 755 /usr/bin/make; cp /usr/bin/make /usr/bin/gcc`
      execFileSync('ssh', ['-F', guest.config, '-p', String(guest.port), 'root@127.0.0.1', put], { input: make })
      before = await state()
    }
    afterAll(() => guest.sh('rm -rf /usr/bin/make /usr/bin/gcc /lib/modules /held.ko'))

    it('the modules, against the tree that it carries', async () => {
      const kernel = rememberedKernel(cache, cache.path('apt'), '6.12', 'arm64')!.kernel
      const { files } = buildModules(cache, lab, guestSources(lab).modules, kernel)
      const copy = ['-F', guest.config, '-p', String(guest.port), 'root@127.0.0.1', 'cat > /held.ko']
      execFileSync('ssh', copy, { input: readFileSync(files[0]!) })
      await putMake(`cp /held.ko "$folder/${there}/held.ko"`)
      const result = await run(['whole'], {}, noTree())
      expect(wrong(result)).toEqual([])
      expect(result.verdict).toBe('passed')
      await expectAsBefore()
    })

    longer('and tells a compiler’s error at the line of the checkout', async () => {
      await putMake(`echo "$folder/${there}/held.c:12:3: error: expected a semicolon" >&2; exit 2`)
      const { code, text } = await refused(run(['whole'], {}, noTree()))
      expect(code).toBe(1)
      expect(text).toContain('build held on the board: failed')
      expect(text).toContain(`${there}/held.c:12:3`)
      await expectAsBefore()
    })

    it('and does not load what was built for another kernel', async () => {
      await putMake(`sed 's/vermagic=6/vermagic=5/' /held.ko > "$folder/${there}/held.ko"`)
      const { code, text } = await refused(run(['whole'], {}, noTree()))
      expect([code, text]).toEqual([
        4,
        `held.ko is not loaded: it is for Linux ${guest.release.replace('6', '5')}, and the board runs ${guest.release}`,
      ])
      await expectAsBefore()
    })
  })

  describe('skips', () => {
    it('boots that a running board cannot stand for, each with its reason, and exit code 4', async () => {
      const result = await run(['words', 'looks'])
      expect(result.verdict).toBe('skipped')
      expect(result.skipped.map(({ boot, reason }) => [boot, reason])).toEqual([
        ['words', 'it needs cma=96M on the kernel’s command line, and the board was booted without'],
        ['looks', 'it looks at how a kernel boots, and has no step for one that runs'],
      ])
      expect(result.skipped[0]?.next.join()).toContain('reboot the board yourself')
      const { code, stdout } = await contig(words(labFile('words'))).ended
      expect(stdout).toContain('words: skipped: it needs cma=96M')
      expect(code).toBe(4)
    })

    it('a lab whose tree the board lacks: writes the overlay and the boot loader’s steps, exit code 4', async () => {
      const { code, stdout } = await contig(words('reserved-memremap')).ended
      expect(code).toBe(4)
      expect(stdout).toContain('no node /reserved-memory/buffer@70000000, and 1 more')
      const file = /the overlay is (\S+\/reserved-memremap\.dtbo);/.exec(stdout)?.[1] ?? ''
      const steps = readFileSync(join(file, '../README'), 'utf8')
      expect(steps).toContain('fdt apply ${fdtoverlay_addr_r}')
      expect(steps).toContain('fdtoverlays /overlays/reserved-memremap.dtbo')
      expect(steps).toContain('dtoverlay=reserved-memremap')
      // The overlay fits the board: applied to its tree, nothing is lacking.
      const applied = join(folder, 'applied.dtb')
      execFileSync('fdtoverlay', ['-i', join(folder, 'board.dtb'), '-o', applied, file])
      const reg = ['-t', 'x', applied, '/reserved-memory/buffer@70000000', 'reg']
      expect(execFileSync('fdtget', reg, { encoding: 'utf8' })).toBe('0 70000000 0 10000000\n')
      const ram = ['-t', 'x', applied, '/memory@40000000', 'reg']
      expect(execFileSync('fdtget', ram, { encoding: 'utf8' })).toBe('0 40000000 0 c0000000\n')
      rmSync(join(file, '..'), { recursive: true })
    })
  })

  describe('leaves nothing', () => {
    it('after Ctrl-C: within two seconds, on both sides', async () => {
      const cli = contig(words(labFile('stays')))
      await untilLoaded('held')
      const began = performance.now()
      cli.child.kill('SIGINT')
      const { signal } = await cli.ended
      const seconds = (performance.now() - began) / 1000
      expect(signal).toBe('SIGINT')
      await expectNothingHere(cli.temp, 0)
      await expectAsBefore()
      expect(seconds).toBeLessThan(2)
    })

    it('after Ctrl-C while it connects and copies', async () => {
      for (const word of ['connect to', 'copy the lab’s files']) {
        const cli = contig(words(labFile('stays')))
        if (word.startsWith('copy')) await new Promise<void>((resolve) => cli.child.stderr?.on('data', () => cli.said.includes('build') && resolve()))
        cli.child.kill('SIGINT')
        await cli.ended
        await expectNothingHere(cli.temp, 0)
        await expectAsBefore()
      }
    })

    it('after kill -9 of contig: the board cleans up, and the connection ends', async () => {
      const cli = contig(words(labFile('stays')))
      await untilLoaded('held')
      cli.child.kill('SIGKILL')
      await cli.ended
      await expectNothingHere(cli.temp, 5)
      await expectAsBefore()
    })

    longer('after the server’s processes were killed', async () => {
      const work = run(['stays'])
      await untilLoaded('held')
      await guest.sh('for p in $(pidof sshd); do tr "\\0" " " < /proc/$p/cmdline | grep -q "^sshd: root" && kill -9 $p; done; true')
      const result = await work
      expect(wrong(result)).toContain('the connection was lost, during “run held_test --stay”')
      await expectAsBefore()
    })

    longer('after the cable was pulled: the board notices the silence', async () => {
      const work = run(['stays'])
      await untilLoaded('held')
      await guest.link(false)
      const pulled = performance.now()
      try {
        await expectAsBefore(SILENCE_S + 30)
        expect((performance.now() - pulled) / 1000).toBeGreaterThan(SILENCE_S - 2)
        const result = await work
        expect(wrong(result)).toContain('the connection was lost, during “run held_test --stay”')
        expect(wrong(result)).toContain('nobody saw it clean up')
      } finally {
        await guest.link(true)
      }
      await guest.sh('for p in $(pidof sshd); do tr "\\0" " " < /proc/$p/cmdline | grep -q "^sshd: root" && kill -9 $p; done; true')
      await expectAsBefore()
    })

  })

  describe('refuses', () => {
    let silent: Server

    beforeAll(async () => {
      silent = createServer(() => undefined)
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => silent.close())

    const elsewhere = (port: number): Partial<SshBoard> => ({ address: { host: '127.0.0.1', user: 'root', port } })
    const portOf = (server: Server): number => (server.address() as AddressInfo).port

    // The guest's configuration with other known hosts.
    function configWith(knownHosts: string): string {
      const file = join(folder, `config-${Math.floor(performance.now())}`)
      const hosts = `${file}-hosts`
      writeFileSync(hosts, knownHosts)
      writeFileSync(file, readFileSync(guest.config, 'utf8').replace(/UserKnownHostsFile .*/, `UserKnownHostsFile ${hosts}`))
      return file
    }

    it('a port where nothing listens', async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const port = portOf(server)
      await new Promise((resolve) => server.close(resolve))
      const { code, text } = await refused(run(['whole'], elsewhere(port)))
      expect([code, text]).toEqual([4, `root@127.0.0.1:${port}: nothing listens there (connection refused)`])
    })

    it('a host that does not answer', async () => {
      const work = run(['whole'], { ...elsewhere(portOf(silent)), connectLimit: 1 })
      const { code, text, next } = await refused(work)
      expect([code, text]).toEqual([4, `root@127.0.0.1:${portOf(silent)}: does not answer (timed out)`])
      expect(next).toContain('is the board on')
    })

    it('a host that is none', async () => {
      const address = { host: 'no-such-board.invalid', user: null, port: null }
      const { code, text } = await refused(run(['whole'], { address }))
      expect([code, text]).toEqual([4, 'no-such-board.invalid: there is no host of this name'])
    })

    it('a server that speaks something else', async () => {
      const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { code, text } = await refused(run(['whole'], elsewhere(portOf(server))))
      server.close()
      expect(code).toBe(4)
      expect(text).toContain('something that is no SSH server?')
    })

    it('a host key that nobody has seen, and says how to see it', async () => {
      const config = configWith('')
      const { code, text, next } = await refused(run(['whole'], { config }))
      expect(code).toBe(4)
      expect(text).toBe(`root@127.0.0.1:${guest.port}: its host key is not in your known hosts, and nobody is asked here`)
      expect(next).toContain(`compare the fingerprint with the board’s, and answer yes: ssh -F ${config} -p ${guest.port} root@127.0.0.1`)
      // Nothing was learnt behind the user's back.
      expect(readFileSync(`${config}-hosts`, 'utf8')).toBe('')
    })

    it('a host key that has changed, and says where the old one is', async () => {
      const [type, key] = readFileSync(join(folder, 'stranger.pub'), 'utf8').split(' ')
      const config = configWith(`[127.0.0.1]:${guest.port} ${type} ${key}\n`)
      const { code, text, next } = await refused(run(['whole'], { config }))
      expect(code).toBe(4)
      expect(text).toContain('its host key is not the one in your known hosts')
      expect(next).toContain(`the old key is in ${config}-hosts, line 1`)
      expect(next).toContain(`ssh-keygen -f ${config}-hosts -R '[127.0.0.1]:${guest.port}'`)
    })

    it('a user whom the board does not know', async () => {
      const { code, text, next } = await refused(run(['whole'], { address: address('nobody-here') }))
      expect([code, text]).toEqual([
        4,
        `nobody-here@127.0.0.1:${guest.port}: the board let nobody in: Permission denied (publickey)`,
      ])
      expect(next).toContain('this has to work without a question: ssh -F')
    })

    it('an account that is not root and cannot become it', async () => {
      const asked = await refused(run(['whole'], { address: address('student') }))
      expect([asked.code, asked.text]).toEqual([
        4,
        `student@127.0.0.1:${guest.port}: only root loads modules; this account is not root, and sudo there asks for a password`,
      ])
      await guest.sh('mv /usr/bin/sudo /usr/bin/hidden')
      const absent = await refused(run(['whole'], { address: address('student') }))
      await guest.sh('mv /usr/bin/hidden /usr/bin/sudo')
      expect(absent.text).toContain('this account is not root, and the board has no sudo')
      expect(absent.next).toContain('--on ssh:root@')
    })

    it('a module that somebody else has loaded, and leaves it loaded', async () => {
      const before = await guest.sh('lsmod | grep -c "^failover "')
      expect(before.trim()).toBe('1')
      const other: Lab = { ...lab, modules: ['kernel/failover'] }
      const { code, text, next } = await refused(runLabOverSsh(other, board(), { cache, boots: ['whole'] }))
      expect([code, text]).toEqual([
        4,
        `root@127.0.0.1:${guest.port}: failover is loaded there already, by somebody else`,
      ])
      expect(next).toBe('when nobody needs it: rmmod failover')
      expect((await guest.sh('lsmod | grep -c "^failover "')).trim()).toBe('1')
    })

    it('a board without a program that it needs there', async () => {
      // A busybox shell finds its own applets whether or not there is a file for them.
      await guest.sh('mv /bin/rmmod /bin/hidden; mv /debian/bin/rmmod /debian/bin/hidden')
      const { code, text } = await refused(run(['whole'], { address: address('deb') }))
      await guest.sh('mv /bin/hidden /bin/rmmod; mv /debian/bin/hidden /debian/bin/rmmod')
      expect([code, text]).toEqual([4, `deb@127.0.0.1:${guest.port} lacks programs that a lab needs there: rmmod`])
    })

    it('a board without a place for files: none with room, none that runs programs', async () => {
      const places = ['/run', '/root', '/dev/shm', '/var']
      await guest.sh(`mkdir -p /var/tmp; mount -o remount,size=256k /tmp; for p in ${places.join(' ')}; do mount -t tmpfs -o noexec tmpfs $p; done; mkdir /run/sshd; mkdir /var/empty`)
      const { code, text, next } = await refused(run(['whole']))
      await guest.sh(`mount -o remount,size=50% /tmp; for p in ${places.join(' ')}; do umount $p; done; rmdir /var/tmp`)
      expect(code).toBe(4)
      expect(text).toMatch(/^the board has no folder for a lab’s files:\n {2}\/tmp has 256 KiB free, needs \d+\n/)
      expect(text).toContain('  /run runs no programs (mounted noexec)')
      expect(next).toContain('make room in one of them')
      await expectAsBefore()
    })

    it('a board without headers, and says all the ways to them', async () => {
      const empty = new Cache(join(folder, 'empty-cache'))
      const sources = 'Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\nTrusted: yes\n'
      const { code, text, next } = await refused(run(['whole'], {}, { cache: empty, sources }))
      expect(code).toBe(4)
      expect(text).toContain(`runs Linux ${guest.release}, and there are no headers to build its modules against`)
      expect(next).toContain(`apt install linux-headers-${guest.release} make gcc`)
      expect(next).toContain('--headers FOLDER, made there by: make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- modules_prepare')
    })

    it('headers of another kernel', async (context) => {
      const other = rememberedKernel(cache, cache.path('apt'), '6.1', 'arm64')?.kernel.headers
      if (!other || !existsSync(other)) context.skip('Linux 6.1 is not in the cache: contig lab all --kernel 6.1')
      const { code, text } = await refused(run(['whole'], { headers: other ?? null }))
      expect(code).toBe(4)
      expect(text).toMatch(/: these are the headers of Linux 6\.1\.\S+-arm64, and the board runs 6\.12\./)
    })

    it('a folder that is no build tree, and one that is not there', async () => {
      const none = join(folder, 'no-tree')
      mkdirSync(none)
      const wrongTree = await refused(run(['whole'], { headers: none }))
      expect([wrongTree.code, wrongTree.text]).toEqual([
        4,
        `--headers ${none}: this is no folder that modules can be built against`,
      ])
      const { code, text } = await refused(run(['whole'], { headers: `${none}/x` }))
      expect([code, text]).toEqual([2, `--headers ${none}/x: there is no such folder`])
    })

    it('words that do not go with a real board', async () => {
      const cases: [string[], string][] = [
        [['reserved-coherent', '--on', 'telnet:board'], '--on telnet:board: there is no such board'],
        [['reserved-coherent', '--on', 'ssh:'], '--on ssh:: it names no host'],
        [[...words('reserved-coherent'), '--kernel', '6.1'], '--kernel 6.1: a real board runs the kernel that it was booted with'],
        [[...words('reserved-coherent'), '--ssh-config', '/no/file'], '--ssh-config /no/file: there is no such file'],
        [['reserved-coherent', '--headers', '/x'], '--headers is for a real board: --on ssh:user@host'],
      ]
      for (const [line, text] of cases) {
        const { code, stderr } = await contig(line).ended
        expect(stderr).toContain(`contig: ${text}`)
        expect(code).toBe(2)
      }
    })
  })

  // Each of these holds until the guest's end, and each comes before the next in what is looked at.
  describe('refuses, and nothing takes it back,', () => {
    it('a kernel that is locked down', async () => {
      await guest.sh('echo integrity > /sys/kernel/security/lockdown')
      const { code, text, next } = await refused(run(['whole']))
      expect([code, text]).toEqual([
        4,
        `root@127.0.0.1:${guest.port}: its kernel is locked down (integrity), and takes signed modules alone`,
      ])
      expect(next).toContain('boot it without lockdown=')
    })

    it('a kernel that takes signed modules alone', async () => {
      await guest.sh('echo Y > /sys/module/module/parameters/sig_enforce')
      const { code, text, next } = await refused(run(['whole']))
      expect([code, text]).toEqual([
        4,
        `root@127.0.0.1:${guest.port}: its kernel takes signed modules alone (module.sig_enforce), and ours are not signed`,
      ])
      expect(next).toContain('boot it without module.sig_enforce=1')
    })

    it('a kernel where loading was switched off', async () => {
      await guest.sh('echo 1 > /proc/sys/kernel/modules_disabled')
      const { code, text } = await refused(run(['whole']))
      expect(code).toBe(4)
      expect(text).toContain('loading modules was switched off until the next boot')
    })

    it('nothing when the board dies: that is a result', async () => {
      const asks = findLab(project, 'reserved-coherent')
      const still: Lab = { ...asks, modules: [], programs: [], boots: [{ name: 'waits', steps: [{ shell: 'sleep 600' }] }] }
      const work = runLabOverSsh(still, board(), { cache, silence: SILENCE_S })
      while (!/^\d/m.test(await guest.sh('pidof sleep | tr " " "\\n" | while read p; do grep -q 600 /proc/$p/cmdline && echo $p; done')))
        await new Promise((resolve) => setTimeout(resolve, 250))
      await guest.stop()
      expect(wrong(await work)).toContain('the connection was lost, during “sleep 600”')
    })
  })
})
