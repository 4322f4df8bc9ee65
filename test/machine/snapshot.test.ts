// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { snapshotRam } from '../../code/arch/ram.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import { parseScenario } from '../../code/machine/scenario_parse.ts'
import { runScenario } from '../../code/machine/scenario_run.ts'
import { shownLines } from '../../code/machine/scenario_steps_look.ts'
import { SHOWN } from '../../code/machine/scenario_verbs.ts'
import { restoreSnapshot, takeSnapshot } from '../../code/machine/snapshot.ts'
import { startSystem, type System } from '../../code/machine/system.ts'
import { cma_alloc, cma_release } from '../../code/mm/cma.ts'
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../../code/mm/gfp.ts'
import { do_mmap } from '../../code/mm/mmap.ts'
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../code/mm/mmap_flags.ts'
import { dup_mm, exit_mmap } from '../../code/mm/mmap_unmap.ts'
import { createProcess } from '../../code/mm/mm_struct.ts'
import { __alloc_pages, __free_pages } from '../../code/mm/page_alloc.ts'
import { userRead, userWrite } from '../../code/mm/uaccess.ts'
import { board } from './board.ts'
import '../support/laws_seed.ts'

const boot = (kernel: KernelVersion): System =>
  startSystem({
    tree: board([0x4000_0000, 0x400_0000]),
    kernel,
    arch: kernel === '3.5' ? 'arm' : 'arm64',
    cmdline: 'cma=8M',
    image: null,
  })

// All that a reader can see of a machine: files, pictures, RAM, struct pages, page tables through the eyes of processes.
function dump(system: System): string {
  const { map } = system.pgdat
  const columns = [map.flags, map.refcount, map.mapcount, map.next, map.prev, map.mapping, map.index]
  const ram = snapshotRam(system.vm.cpu.ram).map(([index, bytes]) => [index, [...bytes].join()])
  const cache = [...system.vm.cpu.l1.blocks].map(([index, { valid, dirty, data }]) => [
    index,
    valid,
    dirty,
    [...data].join(),
  ])
  const processes = system.vm.mms.map((mm) => [
    mm.pid,
    mm.mmap.map(({ vm_start, vm_end, vm_flags }) => [vm_start, vm_end, vm_flags]),
  ])
  const files = SHOWN.map((what) => shownLines(system, what).join('\n'))
  return JSON.stringify([files, columns.map((column) => hash(column)), ram.sort(), cache.sort(), processes])
}

function hash(column: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < column.length; i++) sum = (Math.imul(sum, 31) + column[i]!) | 0
  return sum
}

// Anything that happens to a machine, by two numbers; what it holds is forgotten at the end, as a program forgets.
function happen(
  system: System,
  held: { pages: [number, number][]; ranges: [number, number][] },
  what: number,
  n: number,
): void {
  const { vm, pgdat, cma } = system
  const mm = vm.mms[n % Math.max(1, vm.mms.length)]
  if (what === 0) {
    const pfn = __alloc_pages(pgdat, n % 2 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE, n % 4)
    if (pfn !== null) held.pages.push([pfn, n % 4])
  } else if (what === 1) {
    const block = held.pages.pop()
    if (block) __free_pages(pgdat, ...block)
  } else if (what === 2) {
    const pfn = cma_alloc(vm, cma[0]!, 1 + (n % 300), n % 9, true)
    if (pfn !== null) held.ranges.push([pfn, 1 + (n % 300)])
  } else if (what === 3) {
    const range = held.ranges.pop()
    if (range) cma_release(vm, cma[0]!, ...range)
  } else if (what === 4 || !mm) createProcess(vm, `task-${n}`)
  else if (what === 5) dup_mm(vm, mm)
  else if (what === 6) exit_mmap(vm, mm)
  else writeSomewhere(system, mm, n)
}

function writeSomewhere({ vm }: System, mm: System['vm']['mms'][number], n: number): void {
  const request = { len: 0x8000, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS }
  const va = mm.mmap[0]?.vm_start ?? do_mmap(vm, mm, request)
  if (va < 0) return
  userWrite(vm, mm, va + (n % 0x7000), Uint8Array.from([n & 255, 1, 2, 3]))
  userRead(vm, mm, va + ((n * 7) % 0x7000), 4)
}

const steps = fc.array(fc.tuple(fc.nat(8), fc.nat(100_000)), { minLength: 1, maxLength: 30 })

describe('takeSnapshot() and restoreSnapshot()', () => {
  for (const kernel of ['3.5', '6.12.117'] as const) {
    it(`bring a machine of ${kernel} back exactly, whatever happened`, () => {
      fc.assert(
        fc.property(steps, steps, (before, after) => {
          const system = boot(kernel)
          system.trace.enabled = true
          const held = { pages: [], ranges: [] }
          for (const [what, n] of before) happen(system, held, what, n)
          const snapshot = takeSnapshot({ system, held })
          const was = dump(system)
          for (const [what, n] of after) happen(system, held, what, n)
          const became = dump(system)
          restoreSnapshot(snapshot)
          expect(dump(system)).toBe(was)
          // The same again leads to the same place: nothing was kept in a place that a snapshot does not reach.
          for (const [what, n] of after) happen(system, held, what, n)
          expect(dump(system)).toBe(became)
        }),
        { numRuns: 25 },
      )
    })
  }

  it('would notice a state that was not brought back', () => {
    const system = boot('6.12.117')
    const was = dump(system)
    __alloc_pages(system.pgdat, GFP_KERNEL, 0)
    expect(dump(system)).not.toBe(was)
  })

  it('keep maps, sets, lists, fields and numbers, in the same objects', () => {
    const inner: { list: number[]; gone?: number } = { list: [1, 2], gone: 1 }
    const state = { inner, map: new Map([['a', inner]]), set: new Set([1]), bytes: Uint8Array.of(1, 2) }
    const snapshot = takeSnapshot(state)
    inner.list.push(3)
    delete inner.gone
    Object.assign(inner, { fresh: 1 })
    state.map.clear()
    state.set.add(2)
    state.bytes[0] = 9
    restoreSnapshot(snapshot)
    expect(state).toEqual({
      inner: { list: [1, 2], gone: 1 },
      map: new Map([['a', inner]]),
      set: new Set([1]),
      bytes: Uint8Array.of(1, 2),
    })
    expect(state.map.get('a')).toBe(inner)
  })

  it('serve a scenario more than once', () => {
    const step = (text: string, as = '') => `  - ${text}\n${as && `    as: ${as}\n`}`
    const take = step('alloc_pages: {}')
    const back = step('restore: { snapshot: s }')
    const steps = [step('snapshot: {}', 's'), take, take, back, take, back, take]
    const head = 'title: T\nkernels: [6.12]\nboard: { ram: 256M, cmdline: cma=0 }\nsteps:\n'
    const report = runScenario(parseScenario(head + steps.join(''), 't.yaml').scenario!)
    const pfns = report.steps.filter(({ verb }) => verb === 'alloc_pages').map(({ fields }) => fields['pfn'])
    expect(report.diagnostics).toEqual([])
    expect(pfns).toEqual([pfns[0], (pfns[0] as number) + 1, pfns[0], pfns[0]])
  })
})
