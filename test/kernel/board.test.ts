// SPDX-License-Identifier: MIT
//
// The virtual board itself, with real kernels: what it hands over, and how it ends when a guest does not. The labs of
// the book and the wrong drivers have tests of their own.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Cache } from '../../code/lab/cache.ts'
import { dryRun } from '../../code/lab/plan.ts'
import { type Lab, parseLab } from '../../code/lab/lab_file.ts'
import { livingGroups, runGroup } from '../../code/lab/process_group.ts'
import { type BootResult, runLab, type RunOptions } from '../../code/lab/run_lab.ts'
import { missingTools } from '../../code/lab/tools.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'

const missing = missingTools(['board']).map((tool) => tool.package)

function labOf(steps: string, more = ''): Lab {
  const text = `name: a-lab
title: A lab
board: { ram: 512M }
kernels: ['6.1', '6.12']
${more}
boots:
  - name: only
    steps:
${steps.replace(/^/gm, '      ')}
`
  const { lab, diagnostics } = parseLab(text, 'a-lab.yaml', root.replace(/\/$/, ''))
  if (!lab) throw new Error(JSON.stringify(diagnostics))
  return lab
}

async function bootOnce(lab: Lab, options: RunOptions = {}): Promise<BootResult> {
  const result = await runLab(lab, { kernels: ['6.12'], ...options })
  return result.boots[0]!
}

const wrong = (boot: BootResult): string[] =>
  boot.checks.filter((check) => !check.ok).flatMap((check) => [check.name, ...check.lines])

describe('runLab()', () => {
  it.for(['6.1', '6.12'] as const)('boots %s and hands everything over', async (series, context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const lab = labOf("- shell: 'echo hello; printf no-line-break; exit 3'\n  exit: 3\n  output: { must: [hello] }")
    const boot = await bootOnce(lab, { kernels: [series], keep: true })
    expect(wrong(boot)).toEqual([])
    expect(boot.verdict).toBe('passed')
    expect(boot.kernel.startsWith(`${series}.`)).toBe(true)
    expect(boot.dmesg[0]).toMatch(/^Booting Linux on physical CPU/)
    expect(boot.dmesg.join('\n')).toContain(`Linux version ${boot.kernel.split('.').slice(0, 2).join('.')}`)
    expect(boot.iomem).toMatch(/^40000000-5fffffff : System RAM$/m)
    const tree = readFileSync(join(boot.log, '..', 'handed-over.dtb'))
    expect([...tree.subarray(0, 4)]).toEqual([0xd0, 0x0d, 0xfe, 0xed])
    expect(existsSync(boot.log)).toBe(true)
    rmSync(join(boot.log, '..'), { recursive: true })
  })

  it('refuses a wrong exit code, and output that is not there', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const boot = await bootOnce(labOf("- shell: 'echo hello; exit 3'\n  output: { must: [goodbye] }"))
    expect(boot.verdict).toBe('failed')
    expect(wrong(boot)).toEqual(['echo hello; exit 3', 'left with 3 instead of 0', '  hello', 'missing: goodbye'])
  })

  it('ends a guest that hangs, within the limit', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const began = performance.now()
    const boot = await bootOnce(labOf('- shell: sleep 1000'), { timeout: 15 })
    expect(wrong(boot)[1]).toMatch(/^it did not end within 15 s, during “sleep 1000”/)
    expect(performance.now() - began).toBeLessThan(150_000)
    expect(livingGroups()).toEqual([])
  })

  it('ends a guest that prints without end', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const serialBytes = 256 * 1024
    const boot = await bootOnce(labOf('- shell: yes > /dev/console'), { serialBytes })
    expect(wrong(boot)[1]).toMatch(/^it printed without end and was stopped, during “yes/)
    expect(statSync(boot.log).size).toBe(serialBytes)
  })

  it('stops a step that prints without end, and goes on', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const boot = await bootOnce(labOf("- shell: yes\n  exit: 141\n- shell: 'true'"))
    expect(wrong(boot)).toEqual([])
  })

  it('tells a panic with its last lines', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const boot = await bootOnce(labOf("- shell: 'echo c > /proc/sysrq-trigger'"))
    expect(wrong(boot)[1]).toMatch(/^the kernel stopped: .*, during “echo c/)
    expect(wrong(boot).join('\n')).toContain('Kernel panic - not syncing: sysrq triggered crash')
  })

  it('tells that QEMU was killed, with what the board said last, and keeps its log', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const running = bootOnce(labOf("- shell: 'echo here; sleep 60'"))
    const qemu = (): number | undefined =>
      livingGroups()
        .flatMap((group) => readFileSync(`/proc/${group}/task/${group}/children`, 'utf8').trim().split(' '))
        .map(Number)
        .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('qemu-system'))
    await expect.poll(qemu, { timeout: 60_000, interval: 100 }).toBeGreaterThan(1)
    process.kill(qemu()!, 'SIGKILL')
    const boot = await running
    expect(boot.verdict).toBe('failed')
    expect(wrong(boot).join('\n')).toMatch(/^the board ran to its end\nQEMU was killed by a signal/)
    expect(existsSync(boot.log)).toBe(true)
    expect(livingGroups()).toEqual([])
  })

  it('complains of a tree that dtc refuses, with dtc’s own words', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const lab = labOf("- shell: 'true'")
    const bad = { ...lab, boots: [{ ...lab.boots[0]!, tree: 'test/kernel/fixtures/syntax-error.dtso' }] }
    await expect(runLab(bad, { kernels: ['6.12'] })).rejects.toThrow(
      /^test\/kernel\/fixtures\/syntax-error.dtso: dtc refused it\n.*syntax-error.dtso:7.*syntax error/s,
    )
  })

  it('complains when Debian has no such kernel, naming the package', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const folder = mkdtempSync(join(tmpdir(), 'contig-empty-'))
    try {
      await runGroup(['sh', '-c', `: > '${folder}/Packages'`], { limit: 10 })
      const sources = `Types: deb\nURIs: file:${folder}\nSuites: ./\nTrusted: yes\n`
      const error = await runLab(labOf("- shell: 'true'"), { cache: new Cache(join(folder, 'cache')), sources }).catch(
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(Complaint)
      expect((error as Complaint).message).toContain('kernel package not found: linux-image-arm64')
      expect((error as Complaint).exitCode).toBe(4)
      expect(readdirSync(join(folder, 'cache')).filter((name) => name.includes('.part-'))).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('complains when no mirror answers', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const folder = mkdtempSync(join(tmpdir(), 'contig-offline-'))
    try {
      const sources = 'Types: deb\nURIs: http://127.0.0.1:9/debian\nSuites: bookworm\nComponents: main\n'
      const error = await runLab(labOf("- shell: 'true'"), { cache: new Cache(folder), sources }).catch(
        (thrown: unknown) => thrown,
      )
      expect((error as Complaint).message).toMatch(/^Debian’s mirror cannot be reached: apt-get update\n {2}apt: /)
      expect((error as Complaint).exitCode).toBe(4)
      expect(readdirSync(folder)).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('dryRun()', () => {
  it('prints a script that boots the same board', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    const lab = labOf('- shell: echo done by hand')
    await bootOnce(lab)
    const cache = new Cache()
    const script = dryRun(lab, ['6.12'], {}, new Cache(cache.folder, 'by-hand'), () => '')
    const shell = spawn('sh', { stdio: ['pipe', 'pipe', 'ignore'] })
    shell.stdin.end(script)
    let said = ''
    for await (const piece of shell.stdout) said += String(piece)
    expect(said).toContain('|done by hand')
    expect(said).toContain('@contig done')
    rmSync(cache.path('runs/a-lab-6.12-only-by-hand'), { recursive: true, force: true })
  })
})

describe('contig lab, interrupted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contig-interrupted-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('leaves no process and nothing half-made', async (context) => {
    if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`)
    if (!existsSync(join(root, 'dist/contig.js'))) context.skip('not built: npm run build')
    const env = { ...process.env, CONTIG_CACHE: folder }
    const child = spawn(process.execPath, [join(root, 'dist/contig.js'), 'lab', 'reserved-coherent'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let told = ''
    child.stderr.on('data', (piece: Buffer) => (told += piece.toString()))
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    // Wait until it is in the middle of something: a temporary name stands in the cache.
    const parts = (): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.part-[^/]*$/.test(name))
    await expect.poll(parts, { timeout: 60_000, interval: 50 }).not.toEqual([])
    child.kill('SIGINT')
    expect(await ended).toBe('SIGINT')
    expect(told).toContain('interrupted by SIGINT')
    expect(parts()).toEqual([])
    const left = readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })
    expect(left).toEqual([])
  })
})
