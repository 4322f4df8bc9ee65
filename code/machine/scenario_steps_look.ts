// SPDX-License-Identifier: MIT
//
// Steps that look: expect (what must hold now), show (a file or a picture), and snapshots, to which a machine can return.
//
//     - expect:
//         log: ['cma: Reserved 16 MiB at 0x000000005f000000']
//         vmstat: { cma_alloc_success: 3 }
//         cma: { reserved: { used: 96 } }
//     - show: { what: [meminfo, memory] }

// #region scenario-steps-look
import { nearestWord } from '../lib/nearest_word.ts'
import { drawBitmap, drawMemory } from './draw.ts'
import { cmaValues, procCma } from './proc_cma.ts'
import { procBuddyinfo, procPagetypeinfo } from './proc_buddyinfo.ts'
import { procMeminfo } from './proc_meminfo.ts'
import { procVmstat } from './proc_vmstat.ts'
import { procZoneinfo } from './proc_zoneinfo.ts'
import { Fault, held, type Doers, type Field, type Held, type Run } from './scenario_context.ts'
import { fieldNamed, mismatch } from './scenario_expect.ts'
import { areaNamed } from './scenario_steps_pages.ts'
import type { Shown, VerbArgs } from './scenario_verbs.ts'
import { restoreSnapshot, takeSnapshot } from './snapshot.ts'
import type { System } from './system.ts'

/** Whether a page has more references than its owner and its page tables have: somebody holds it. */
export function isPinned({ vm, pgdat }: System, pfn: number): boolean {
  const at = pfn - pgdat.map.start_pfn
  const owner = vm.mappings[pgdat.map.mapping[at] ?? 0]
  return owner !== undefined && owner !== null && (pgdat.map.refcount[at] ?? 0) > owner.expectedRefs(pfn)
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** What `show` prints, as lines; `width` is for the pictures. */
export function shownLines(system: System, what: Shown, width = 80): string[] {
  const { machine, vm, pgdat, cma } = system
  const drawing = { width, pinned: (pfn: number) => isPinned(system, pfn) }
  const files: Record<Shown, () => string[]> = {
    iomem: () => linesOf(machine.procIomem()),
    meminfo: () => linesOf(procMeminfo(vm)),
    buddyinfo: () => linesOf(procBuddyinfo(pgdat)),
    pagetypeinfo: () => linesOf(procPagetypeinfo(pgdat)),
    zoneinfo: () => linesOf(procZoneinfo(vm)),
    vmstat: () => linesOf(procVmstat(vm)),
    cma: () => linesOf(procCma(machine.kernel, cma)),
    log: () => [...system.printk.lines],
    memory: () => drawMemory(pgdat, drawing),
    bitmap: () => cma.flatMap((area) => drawBitmap(area, drawing)),
  }
  return files[what]()
}

// Names and numbers of a file such as /proc/meminfo: `CmaFree:  65536 kB`, `pgfault 12`.
function numbersOf(text: string): Map<string, number> {
  return new Map([...text.matchAll(/^(\S+?):?\s+(\d+)/gm)].map(([, name, value]) => [name!, Number(value)]))
}

/** What does not hold of what a step expects: `subject: got …, expected …`. */
type Wrong = string[]

function checkNumbers(file: string, text: string, expected: Readonly<Record<string, number>> = {}): Wrong {
  const has = numbersOf(text)
  return Object.entries(expected).flatMap(([name, value]) => {
    const got = has.get(name)
    if (got === undefined) {
      const near = nearestWord(name, [...has.keys()])
      throw new Fault({
        ...{ rule: 'scenario-field', text: `${file} has no ${name} on this kernel` },
        note: near ? `did you mean ${near}?` : `it has: ${[...has.keys()].join(', ')}`,
      })
    }
    return got === value ? [] : [`${file}: ${name}: got ${got}, expected ${value}`]
  })
}

type Expect = VerbArgs<'expect'>

function checkLines(run: Run, { log = [], noLog = [], iomem = [] }: Expect): Wrong {
  const lines = run.system.printk.lines
  const wrong: Wrong = []
  for (const each of log) {
    const { text, times } = typeof each === 'string' ? { text: each, times: null } : each
    const got = lines.filter((line) => line.includes(text)).length
    if (times === null ? got > 0 : got === times) continue
    const near = nearestWord(text, lines)
    const nearest = near ? `; the nearest line is: ${near}` : ''
    wrong.push(`log: got ${got} lines with "${text}", expected ${times ?? 'at least 1'}${nearest}`)
  }
  for (const text of noLog) {
    const found = lines.find((line) => line.includes(text))
    if (found !== undefined) wrong.push(`log: got "${found}", expected no line with "${text}"`)
  }
  const shown = linesOf(run.system.machine.procIomem())
  for (const line of iomem) {
    if (!shown.includes(line))
      wrong.push(`iomem: got no line "${line}", expected it; there are: ${shown.join(' | ')}`)
  }
  return wrong
}

function checkTrace(run: Run, expected: Readonly<Record<string, number>> = {}): Wrong {
  return Object.entries(expected).flatMap(([event, times]) => {
    const got = run.system.trace.records.filter((record) => record.event === event).length
    return got === times ? [] : [`trace: ${event}: got ${got}, expected ${times}`]
  })
}

function checkAreas(run: Run, areas: NonNullable<Expect['cma']> = {}): Wrong {
  return Object.entries(areas).flatMap(([name, expected]) => {
    const values: Record<string, number> = cmaValues(areaNamed(run, name, 'cma'))
    return Object.entries(expected).flatMap(([file, value]) => {
      if (!(file in values)) {
        const text = `cma: ${name} has no file ${file}, expected ${Object.keys(values).join(', ')}`
        throw new Fault({ rule: 'scenario-field', key: 'cma', text })
      }
      return values[file] === value ? [] : [`cma: ${name}/${file}: got ${values[file]!}, expected ${value}`]
    })
  })
}

function checkResults(run: Run, results: NonNullable<Expect['results']> = {}): Wrong {
  return Object.entries(results).flatMap(([name, fields]) =>
    Object.entries(fields).flatMap(([field, expected]) => {
      const got: Field = fieldNamed(run, `${name}.${field}`)
      const wrong = mismatch(run, field, expected, got)
      return wrong === null ? [] : [`${name}.${field}: ${wrong}`]
    }),
  )
}

/** Everything that does not hold of an `expect`. */
export function unmet(run: Run, expected: Expect): string[] {
  const { vm } = run.system
  return [
    ...checkLines(run, expected),
    ...checkNumbers('/proc/meminfo', expected.meminfo ? procMeminfo(vm) : '', expected.meminfo),
    ...checkNumbers('/proc/vmstat', expected.vmstat ? procVmstat(vm) : '', expected.vmstat),
    ...checkTrace(run, expected.trace),
    ...checkAreas(run, expected.cma),
    ...checkResults(run, expected.results),
  ]
}

// Each line, each number and each field counts.
function countChecks({ cma = {}, results = {}, ...flat }: Expect): number {
  const size = (group: object | undefined): number => Object.keys(group ?? {}).length
  const nested = [...Object.values(cma), ...Object.values(results)]
  return [...Object.values(flat), ...nested].reduce<number>((sum, group) => sum + size(group), 0)
}

export const lookDoers: Doers<'snapshot' | 'restore' | 'expect' | 'show'> = {
  snapshot: (run) => {
    const results = [...run.results].map(([name, result]): [string, Held] => [name, { ...result }])
    return { made: { machine: takeSnapshot(run.system), results, chance: run.rng.state } }
  },
  restore: (run, { snapshot }) => {
    const { machine, results, chance } = held(run, snapshot, 'snapshot')
    const own = run.results.get(snapshot)!
    restoreSnapshot(machine)
    run.rng.state = chance
    run.results.clear()
    for (const [name, result] of results) run.results.set(name, { ...result })
    run.results.set(snapshot, own)
    return {}
  },
  expect: (run, expected) => ({ unmet: unmet(run, expected), checked: countChecks(expected) }),
  show: (run, { what }) => {
    for (const each of what) run.shown.push({ what: each, lines: shownLines(run.system, each) })
    return {}
  },
}
// #endregion scenario-steps-look
