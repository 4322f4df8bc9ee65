// SPDX-License-Identifier: MIT
//
// Laws of the whole machine: random sequences of everything that it can do, for every kernel and architecture, beside a
// naive reference. The seed is printed; see test/support/laws_seed.ts.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { restoreSnapshot, takeSnapshot } from '../../code/machine/snapshot.ts'
import { checkFull } from './laws_check.ts'
import { digest } from './laws_digest.ts'
import { boot, endAll, live } from './laws_life.ts'
import { LAYOUTS, MACHINES, PAGE } from './laws_machines.ts'
import { operation } from './laws_operations.ts'
import { checkSeen, markPage, type World } from './laws_world.ts'
import { LAWS_SEED, LAWS_TIMES } from '../support/laws_seed.ts'

const OPERATIONS = 150_000 * LAWS_TIMES
const LONGEST = 400
const total = { operations: 0, sequences: 0, events: {} as Record<string, number> }

const sequence = fc.array(operation, { minLength: 1, maxLength: LONGEST, size: 'max' })
const layout = fc.nat(LAYOUTS - 1)

/** What fast-check prints when it fails has its seed; this says how to make the run again. */
function assertLaw<T>(property: fc.IPropertyWithHooks<T>, seed: number, numRuns: number): void {
  try {
    fc.assert(property, { seed, numRuns })
  } catch (error) {
    throw new Error(`LAWS_SEED=${LAWS_SEED} LAWS_TIMES=${LAWS_TIMES}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

afterAll(() => {
  const events = Object.entries(total.events).sort(([, a], [, b]) => b - a)
  console.log(
    `laws of the machine: ${total.operations} operations in ${total.sequences} sequences, LAWS_SEED=${LAWS_SEED}\n` +
      events.map(([event, count]) => `${event} ${count}`).join(' · '),
  )
})

describe.each(MACHINES)('the laws under $kernel on $arch', (machine) => {
  const seed = LAWS_SEED + 10_000 * MACHINES.indexOf(machine)
  const quota = Math.ceil(OPERATIONS / MACHINES.length)

  test(
    `startSystem() and all above it: pages are conserved and in one place, contents stay, ${quota} operations (seed ${LAWS_SEED})`,
    () => {
      let done = 0
      const lives = fc.property(layout, sequence, (layout, operations) => {
        const world = boot(machine, layout)
        live(world, operations)
        endAll(world)
        done += operations.length
        total.operations += operations.length
        total.sequences++
        for (const [event, count] of Object.entries(world.events))
          total.events[event] = (total.events[event] ?? 0) + count
      })
      for (let round = 0; done < quota; round++) assertLaw(lives, seed + round, 20)
    },
    Math.max(60_000, quota * 20),
  )

  test(`takeSnapshot() and restoreSnapshot() bring all of it back, whatever happens between (seed ${LAWS_SEED})`, () => {
    const returns = fc.property(layout, sequence, sequence, (layout, before, after) => {
      const world = boot(machine, layout)
      live(world, before)
      const was = digest(world)
      const snapshot = takeSnapshot(world)
      live(world, after)
      const became = digest(world)
      restoreSnapshot(snapshot)
      expect(digest(world)).toBe(was)
      live(world, after)
      expect(digest(world)).toBe(became)
      endAll(world)
      total.operations += before.length + 2 * after.length
    })
    assertLaw(returns, seed, 4)
  }, 60_000)
})

// What is wrong, and with which words the laws must say so.
const WRONGS: [string, (world: World) => void][] = [
  ['references, expected', ({ system: { pgdat } }) => void pgdat.map.refcount[aFreeBlock(pgdat)]!++],
  ['NR_FREE_PAGES', ({ system: { pgdat } }) => void pgdat.zones[0]!.vm_stat[0]!--],
  ['links broken', ({ system: { pgdat } }) => void (pgdat.map.prev[aFreeBlock(pgdat)] = 7)],
  ['is wrong for a page', ({ system: { cma } }) => void (cma[0]!.bitmap!.words[5]! ^= 1)],
  ['is nowhere', (world) => void world.raw.pop()],
  ['and a block', (world) => void world.raw.push(world.raw[0]!)],
  ['times, expected', (world) => void world.system.pgdat.map.mapcount[pageOf(world)]!++],
  ['the reverse map', (world) => void world.system.pgdat.map.index[pageOf(world)]!++],
  [
    'is on no LRU list',
    ({ system: { vm } }) => void Object.assign(vm.lru.inactive_anon, { head: -1, tail: -1, count: 0 }),
  ],
  ['reads', (world) => markPage(world, (pageOf(world) + world.system.pgdat.map.start_pfn) * PAGE, 1234)],
]

const aFreeBlock = ({ zones }: World['system']['pgdat']): number => zones[0]!.free_list.find((at) => at >= 0)!

// Index of the only page that the only process has.
function pageOf({ system: { vm } }: World): number {
  return vm.lru.inactive_anon.head
}

describe('the laws themselves', () => {
  test.each(WRONGS)('checkFull() and checkSeen() say `%s` when something is wrong', (text, spoil) => {
    const world = boot({ kernel: '6.12.117', arch: 'arm64' }, 0)
    live(world, [
      ['alloc', 0, 0],
      ['mapAnon', 0, 0],
      ['write', 0, 0],
    ])
    const check = () => {
      checkFull(world)
      checkSeen(world, world.processes[0]!, 0)
    }
    check()
    spoil(world)
    expect(check).toThrow(text)
  })

  test('digest() sees a byte, a number and who refers to whom', () => {
    const shared = { bytes: new Uint8Array(9) }
    const state = { a: shared, b: shared, map: new Map([[1, 'x']]) }
    const was = digest(state)
    expect(digest({ a: shared, b: shared, map: new Map([[1, 'x']]) })).toBe(was)
    expect(digest({ ...state, b: { bytes: new Uint8Array(9) } })).not.toBe(was)
    expect(digest({ ...state, map: new Map([[1, 'y']]) })).not.toBe(was)
    shared.bytes[8] = 1
    expect(digest(state)).not.toBe(was)
  })
})
