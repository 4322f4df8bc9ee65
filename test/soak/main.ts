// SPDX-License-Identifier: MIT
//
// npm run soak: every module under load, on the debug kernel. Each device is fuzzed by two processes at once and its
// module loaded and unloaded a thousand times; afterwards the kernel's checks must have reported nothing and everything
// must be given back. Then every lab of the book, on the same kernel.
//
//     npm run soak                          all of it; the better part of an hour on two cores
//     npm run soak -- --short               seconds for each device: 4,000 calls, 20 loads, no labs
//     npm run soak -- --seed 7 cma_mem      the same chance again, for one device
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { KERNEL_NAMES, type KernelName } from '../../code/lab/kernels.ts'
import { listLabs } from '../../code/lab/lab_list.ts'
import { progressPrinter } from '../../code/lab/lab_report.ts'
import { runLab } from '../../code/lab/run_lab.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { projectRoot } from '../../code/lab/project_root.ts'
import { SOAK_DEVICES, soakLab, type SoakOptions } from './soak_lab.ts'
import { type SoakResult, soakResult, soakTable, table } from './soak_result.ts'

const USAGE = `usage: npm run soak -- [--short] [--kernel NAME] [--calls N] [--times N] [--seed N]
                       [--no-failures] [--no-labs] [--json] [DEVICE…]
devices: ${SOAK_DEVICES.map(({ name }) => name).join(', ')}`

interface Wish extends SoakOptions {
  readonly devices: readonly (typeof SOAK_DEVICES)[number][]
  readonly labs: boolean
  readonly json: boolean
}

const wrong = (text: string): Complaint => new Complaint({ text, exitCode: 2, next: USAGE.split('\n') })

function count(values: Record<string, unknown>, key: string, unsaid: number): number {
  const text = values[key]
  if (text === undefined) return unsaid
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw wrong(`--${key}: expected a whole number, got ${String(text)}`)
  return value
}

const OPTIONS = {
  short: { type: 'boolean' },
  kernel: { type: 'string', default: 'debug' },
  calls: { type: 'string' },
  times: { type: 'string' },
  seed: { type: 'string' },
  'no-failures': { type: 'boolean' },
  'no-labs': { type: 'boolean' },
  json: { type: 'boolean' },
} as const

function words(argv: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(argv)
  } catch (error) {
    throw wrong((error as Error).message)
  }
}
const parse = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })

function wishOf(argv: readonly string[]): Wish {
  const { values, positionals } = words(argv)
  const kernel = KERNEL_NAMES.find((each) => each === values.kernel)
  if (!kernel) throw wrong(`--kernel: there is no ${values.kernel}; there is ${KERNEL_NAMES.join(', ')}`)
  const devices = positionals.map((name) => {
    const found = SOAK_DEVICES.find((each) => each.name === name)
    if (!found) throw wrong(`there is no device ${name}`)
    return found
  })
  const times = count(values, 'times', values.short ? 20 : 1000)
  if (times > 0 && times < 10) throw wrong('--times: expected 0, or at least 10')
  return {
    kernel,
    calls: count(values, 'calls', values.short ? 4000 : 100_000),
    seed: count(values, 'seed', Date.now() % 0x1_0000_0000),
    times,
    // Only the debug kernel was built to fail on demand.
    failures: kernel === 'debug' && !values['no-failures'],
    timeout: values.short ? 300 : 3600,
    devices: devices.length > 0 ? devices : SOAK_DEVICES,
    labs: !values.short && !values['no-labs'] && devices.length === 0,
    json: values.json === true,
  }
}

const progress = progressPrinter(process.stderr)

async function soakAll(wish: Wish): Promise<SoakResult[]> {
  const results: SoakResult[] = []
  for (const device of wish.devices) {
    const { boots } = await runLab(soakLab(device, wish), { kernels: [wish.kernel], progress })
    results.push(...boots.map((boot) => soakResult(device.name, boot)))
  }
  return results
}

interface LabRow {
  readonly lab: string
  readonly boot: string
  readonly verdict: string
  readonly seconds: number
  readonly failures: readonly string[]
}

async function allLabs(kernel: KernelName): Promise<LabRow[]> {
  const { compareModel } = await import('../../code/lab/model_beside.ts')
  const rows: LabRow[] = []
  for (const lab of listLabs(projectRoot()).filter(({ kernels }) => kernels.includes(kernel))) {
    const { boots } = await runLab(lab, { kernels: [kernel], progress, compare: compareModel })
    for (const { boot, verdict, seconds, checks } of boots) {
      const failures = checks.filter(({ ok }) => !ok).flatMap(({ name, lines }) => [name, ...lines])
      rows.push({ lab: lab.name, boot, verdict, seconds, failures })
    }
  }
  return rows
}

function tell(wish: Wish, results: readonly SoakResult[], labs: readonly LabRow[], seconds: number): void {
  if (wish.json) {
    process.stdout.write(`${JSON.stringify({ kernel: wish.kernel, results, labs, seconds }, null, 2)}\n`)
    return
  }
  console.log(`\nkernel ${wish.kernel}, ${availableParallelism()} cores, ${seconds.toFixed(0)} s\n`)
  console.log(soakTable(results))
  if (labs.length > 0) {
    const rows = labs.map((row) => [row.lab, row.boot, row.seconds.toFixed(1), row.verdict])
    console.log(`\n${table(['lab', 'boot', 's', 'verdict'], rows)}`)
  }
  for (const { name, failures, log } of results.filter(({ verdict }) => verdict === 'failed'))
    console.log([`\n${name}:`, ...failures.map((line) => `  ${line}`), `  log ${log}`].join('\n'))
  for (const { lab, boot, failures } of labs.filter(({ verdict }) => verdict === 'failed'))
    console.log([`\n${lab}, ${boot}:`, ...failures.map((line) => `  ${line}`)].join('\n'))
}

try {
  const began = performance.now()
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) {
    console.log(USAGE)
    process.exit()
  }
  const wish = wishOf(argv)
  const results = await soakAll(wish)
  const labs = wish.labs ? await allLabs(wish.kernel) : []
  tell(wish, results, labs, (performance.now() - began) / 1000)
  if ([...results, ...labs].some(({ verdict }) => verdict === 'failed')) process.exitCode = 1
} catch (error) {
  if (!(error instanceof Complaint)) throw error
  process.stderr.write(`soak: ${error.message}\n${error.next.map((line) => `  ${line}\n`).join('')}`)
  process.exitCode = error.exitCode
}
