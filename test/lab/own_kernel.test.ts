// SPDX-License-Identifier: MIT
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Cache } from '../../code/lab/cache.ts'
import { type Command, CommandFailed } from '../../code/lab/command.ts'
import { execute, perform, type ProgressEvent } from '../../code/lab/execute.ts'
import { rememberSource } from '../../code/lab/kernel_source.ts'
import { OWN_KERNELS, ownConfig, ownKernel, type OwnName } from '../../code/lab/own_kernel.ts'
import { listOwnKernels, needOwnKernel, ownKernelComplaint } from '../../code/lab/own_kernel_build.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-own-kernel-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cache = new Cache(join(folder, 'cache'))
const source = { packageVersion: '6.12.117-1~deb12u1', key: '0123456789abcdef' }
const kernels = (Object.keys(OWN_KERNELS) as OwnName[]).flatMap((name) =>
  OWN_KERNELS[name].map((arch) => ({ name, arch })),
)
const quiet = { cache, signal: new AbortController().signal, progress: () => undefined }

type Exec = Extract<Command, { do: 'exec' }>
const commandsOf = (name: OwnName): readonly Command[] =>
  ownKernel(cache, '/apt', source, name).steps.at(-1)!.commands
const execs = (name: OwnName): Exec[] => commandsOf(name).filter((command) => command.do === 'exec')

/** The options of a list, as name and value. */
const options = (text: string): [string, string][] =>
  [...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map((match) => [match[1]!, match[2]!])

async function complaintOf(work: () => unknown): Promise<Complaint> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Complaint) return error
    throw error
  }
  throw new Error('no complaint')
}

describe('ownConfig()', () => {
  it.each(kernels)('names each option of $name for $arch once', ({ name, arch }) => {
    const names = options(ownConfig(name, arch)).map(([option]) => option)
    expect(names.length).toBeGreaterThan(60)
    expect(names.filter((option, index) => names.indexOf(option) !== index)).toEqual([])
  })

  it('gives the debug kernel all that the lab kernel has, save what debugging replaces', () => {
    const debug = new Map(options(ownConfig('debug', 'arm64')))
    const other = options(ownConfig('lab', 'arm64')).filter(([option, value]) => debug.get(option) !== value)
    expect(other.map(([option]) => option)).toEqual([
      'CONFIG_LOCALVERSION',
      'CONFIG_PREEMPT_VOLUNTARY',
      'CONFIG_ENABLE_DEFAULT_TRACERS',
      'CONFIG_PAGE_OWNER',
    ])
  })

  it('refuses a kernel that is not built for an architecture, and says which is', async () => {
    const complaint = await complaintOf(() => ownConfig('debug', 'arm'))
    expect(complaint.message).toBe('there is no kernel debug for arm')
    expect(complaint.next).toEqual(['contig kernel build debug --arch arm64'])
    expect(complaint.exitCode).toBe(2)
  })
})

describe('ownKernel()', () => {
  it('is named by what decides its content, and by nothing else', () => {
    const { key } = ownKernel(cache, '/apt', source, 'lab')
    const elsewhere = new Cache(join(folder, 'other', 'place'))
    expect(ownKernel(elsewhere, '/other-apt', source, 'lab').key).toBe(key)
    expect(ownKernel(cache, '/apt', { ...source, key: 'fedcba9876543210' }, 'lab').key).not.toBe(key)
    expect(ownKernel(cache, '/apt', source, 'debug').key).not.toBe(key)
    expect(ownKernel(cache, '/apt', source, 'lab', 'arm').key).not.toBe(key)
  })

  it('has another name when an option changes', () => {
    const copy = join(folder, 'copy')
    cpSync(join(root, 'kernel/configs'), join(copy, 'kernel/configs'), { recursive: true })
    const before = ownKernel(cache, '/apt', source, 'lab', 'arm64', copy).key
    expect(before).toBe(ownKernel(cache, '/apt', source, 'lab').key)
    const text = ownConfig('lab', 'arm64').replace('CONFIG_CMA_AREAS=20', 'CONFIG_CMA_AREAS=7')
    writeFileSync(join(copy, 'kernel/configs/lab-arm64.config'), text)
    expect(ownKernel(cache, '/apt', source, 'lab', 'arm64', copy).key).not.toBe(before)
  })

  it('builds in a clean environment, with a date, a user and a host that are always the same', () => {
    const makes = execs('lab').filter(({ argv }) => argv.includes('make'))
    expect(makes).toHaveLength(2)
    for (const { argv } of makes) {
      expect(argv.slice(0, 2)).toEqual(['env', '-i'])
      expect(argv.join('\n')).toMatch(
        /KBUILD_BUILD_TIMESTAMP=.*\nKBUILD_BUILD_USER=contig\nKBUILD_BUILD_HOST=/,
      )
      expect(argv).toContain('LOCALVERSION=')
    }
  })

  it('keeps image, symbols, configuration, device trees and build tree, and throws the sources away', () => {
    const kernel = ownKernel(cache, '/apt', source, 'lab', 'arm')
    const { makes, commands } = kernel.steps.at(-1)!
    const inside = (path: string): string => path.slice(makes!.part.length + 1)
    const kept = commands.flatMap((command) => (command.do === 'copy' ? [inside(command.to)] : []))
    expect(kept).toEqual(['zImage', 'System.map', 'config', 'dtbs/zynq-zc702.dtb'])
    expect(commands.at(-1)).toEqual({ do: 'remove', path: join(makes!.part, 'src') })
    expect(kernel.image).toBe(join(kernel.folder, 'zImage'))
    expect(kernel.headers).toBe(join(kernel.folder, 'build'))
    expect(kernel.makeWords).toEqual(['ARCH=arm', 'CROSS_COMPILE=arm-linux-gnueabihf-'])
  })

  it('lets one process build while others wait', () => {
    expect(ownKernel(cache, '/apt', source, 'lab').steps.map(({ alone }) => alone)).toEqual([undefined, true])
  })

  it('gives every command a limit', () => {
    expect(execs('debug').every(({ limit }) => limit > 0 && limit <= 7200)).toBe(true)
  })
})

// The very command of the recipe, on a .config that we write.
async function check(config: string): Promise<CommandFailed | null> {
  const kernel = ownKernel(cache, '/apt', source, 'debug')
  const command = kernel.steps
    .at(-1)!
    .commands.find((each) => each.do === 'exec' && each.argv.join().includes('did not stick')) as Exec
  const [wanted = '', made = ''] = command.argv.slice(-2)
  mkdirSync(dirname(made), { recursive: true })
  writeFileSync(wanted, 'CONFIG_A=y\n# CONFIG_B=y is a remark\nCONFIG_C="text"\nCONFIG_D=n\nCONFIG_E=20\n')
  writeFileSync(made, config)
  try {
    await execute(command, quiet.signal)
    return null
  } catch (error) {
    return error as CommandFailed
  } finally {
    rmSync(dirname(dirname(made)), { recursive: true, force: true })
  }
}

describe('the options that were wanted', () => {
  it('are held against .config', async () => {
    expect(await check('CONFIG_A=y\nCONFIG_C="text"\n# CONFIG_D is not set\nCONFIG_E=20\n')).toBeNull()
  })

  it('are told by name, each with what came of it, when they did not stick', async () => {
    const error = await check(
      '# CONFIG_A is not set\nCONFIG_AA=y\nCONFIG_C="other"\nCONFIG_D=y\nCONFIG_E=200\n',
    )
    const complaint = ownKernelComplaint(ownKernel(cache, '/apt', source, 'debug'), error!)
    expect(complaint.message.split('\n')).toEqual([
      'the kernel debug (arm64, Linux 6.12.117-1~deb12u1) did not take these options of kernel/configs:',
      '  CONFIG_A: wanted y, got n',
      '  CONFIG_C: wanted "text", got "other"',
      '  CONFIG_D: wanted n, got y',
      '  CONFIG_E: wanted 20, got 200',
    ])
  })
})

describe('ownKernelComplaint()', () => {
  const kernel = ownKernel(cache, '/apt', source, 'lab')

  it('tells what the compiler said, without the files that went well', () => {
    const output = '  CC      mm/cma.o\nmm/cma.c:7:1: error: unknown type\nmake[3]: *** [mm/cma.o] Error 1\n'
    const complaint = ownKernelComplaint(kernel, new CommandFailed(['make'], 2, false, output))
    expect(complaint.message).toContain('was not built:\n  mm/cma.c:7:1: error: unknown type')
    expect(complaint.message).not.toContain('CC  ')
  })

  it('tells of a build that took too long', () => {
    const complaint = ownKernelComplaint(kernel, new CommandFailed(['make'], null, true, '  CC      a.o\n'))
    expect(complaint.message).toContain('ran out of time:\n    CC      a.o')
  })
})

describe('needOwnKernel()', () => {
  it('refuses a folder that Linux cannot be built in, before it fetches anything', async () => {
    const spaced = new Cache(join(folder, 'my cache'))
    spaced.open()
    rememberSource(spaced, source)
    const desk = { folder: '/apt', open: () => Promise.reject(new Error('asked Debian')) }
    const hands = { ...quiet, cache: spaced }
    const complaint = await complaintOf(() => needOwnKernel('lab', 'arm64', hands, desk))
    expect(complaint.message).toMatch(/my cache has ' ' in its name: Linux cannot be built/)
  })

  it('takes a kernel that stands without asking anybody', async () => {
    rememberSource(cache, source)
    const { folder: place } = ownKernel(cache, '/apt', source, 'lab')
    mkdirSync(place, { recursive: true })
    const desk = { folder: '/apt', open: () => Promise.reject(new Error('asked Debian')) }
    expect((await needOwnKernel('lab', 'arm64', quiet, desk)).folder).toBe(place)
    expect(listOwnKernels(cache).map(({ kernel }) => kernel !== null)).toEqual([true, false, false])
    rmSync(place, { recursive: true })
  })
})

describe('perform()', () => {
  it('tells how far a long command is', async () => {
    const told: ProgressEvent[] = []
    const argv = ['sh', '-c', 'seq 1 45']
    const commands: Command[] = [{ do: 'exec', argv, limit: 5, tells: 'compile', counts: true }]
    await perform({ title: 'build', commands }, { ...quiet, progress: (event) => told.push(event) })
    expect(told.map(({ title, state }) => `${state} ${title}`)).toEqual(
      expect.arrayContaining(['start   compile: 0 files', 'done   compile: 45 files', 'done build']),
    )
  })

  it('stops a build in the middle and leaves nothing of it', async () => {
    const { steps, folder: place } = ownKernel(cache, '/apt', source, 'lab')
    const { makes } = steps.at(-1)!
    const aborter = new AbortController()
    const commands: Command[] = [
      { do: 'mkdir', path: join(makes!.part, 'src/drivers') },
      { do: 'exec', argv: ['sleep', '30'], limit: 60 },
    ]
    const work = perform({ title: 'build', makes: makes!, commands }, { ...quiet, signal: aborter.signal })
    setTimeout(() => aborter.abort(new Error('interrupted')), 50)
    await expect(work).rejects.toThrow('interrupted')
    expect([makes!.part, place].map((path) => existsSync(path))).toEqual([false, false])
  })
})
