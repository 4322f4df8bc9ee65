// SPDX-License-Identifier: MIT
//
// What the steps of a scenario share: the machine they run on, the results by name, and how a step says that it cannot be
// done.
//
//     held(run, 'heap', 'area')         the result of an earlier step
//     bury(run, 'heap')                 it is given back: whoever names it again is told where that was
//     throw new Fault({ rule, … })      becomes a diagnostic at the step's line

// #region scenario-context
import type { Rng } from '../lib/rng.ts'
import type { Bytes, DmaAddr, Pfn, VirtAddr } from '../lib/units.ts'
import type { DmaDirection } from '../arch/dma_direction.ts'
import type { Scatterlist } from '../dma/scatterlist.ts'
import type { Cma } from '../mm/cma_declare.ts'
import type { File, MmStruct } from '../mm/vm.ts'
import type { Device } from '../of/reserved_mem.ts'
import type { Scenario } from './scenario_parse.ts'
import type { Kind } from './scenario_verb.ts'
import type { Shown, VerbArgs, VerbName } from './scenario_verbs.ts'
import type { Snapshot } from './snapshot.ts'
import type { System } from './system.ts'

/** `[va, va + size)` of a process. */
export interface UserArea {
  readonly mm: MmStruct
  readonly va: VirtAddr
  readonly size: Bytes
  /** Which of its pages are there, when it has holes; null for all. */
  readonly pages: readonly number[] | null
}

/** What each kind of result is. */
export interface HeldKinds {
  pages: { pfn: Pfn; order: number }
  range: { area: Cma; pfn: Pfn; count: number }
  process: MmStruct
  area: UserArea
  file: File
  pin: { mm: MmStruct; pfns: readonly Pfn[] }
  device: Device
  buffer: { dev: Device; cpu_addr: VirtAddr; handle: DmaAddr; size: Bytes; wc: boolean }
  map: { dev: Device; handle: DmaAddr; size: Bytes; dir: DmaDirection }
  sgmap: { dev: Device; sg: Scatterlist[]; dir: DmaDirection }
  snapshot: { machine: Snapshot; results: readonly (readonly [string, Held])[]; chance: number }
}

/** A field of what a step gives. */
export type Field = number | string | boolean | null | readonly number[]
export type Fields = Readonly<Record<string, Field>>

/** A result by its name. */
export interface Held {
  readonly kind: Kind | null
  readonly what: unknown
  readonly fields: Fields
  /** Where it was made. */
  readonly line: number
  /** Where it was given back, and by what. */
  gone: { readonly line: number; readonly verb: string } | null
}

/** What `show` printed. */
export interface ShownFile {
  readonly what: Shown
  readonly lines: readonly string[]
}

/** An attempt to take a range, as cma_alloc() made it. */
export interface Attempt {
  readonly pfn: Pfn
  readonly ret: number
}

/** A scenario while it runs. */
export interface Run {
  readonly scenario: Scenario
  readonly system: System
  readonly rng: Rng
  /** Results by name. */
  readonly results: Map<string, Held>
  readonly shown: ShownFile[]
  /** Attempts to take a range since the step began. */
  readonly attempts: Attempt[]
  /** What the next attempts shall end with, whatever lies there: `busy`. */
  readonly busy: number[]
  /** The step that runs. */
  line: number
  verb: VerbName
  index: number
}

/** What a step comes to: what it gives, and what it made if it made something. */
export interface Outcome {
  readonly fields?: Fields
  /** Undefined: nothing was made, because the kernel had none to give. */
  readonly made?: unknown
  /** What did not hold of what it expects: subject, got, expected. */
  readonly unmet?: readonly string[]
  /** How many things it expects. */
  readonly checked?: number
}

/** The doing of a verb. */
export type Doer<V extends VerbName> = (run: Run, args: VerbArgs<V>) => Outcome
export type Doers<V extends VerbName> = { readonly [Name in V]: Doer<Name> }

/** A step that cannot be done: the reader's mistake, told at the step's line. */
export class Fault extends Error {
  readonly rule: string
  /** The argument that is wrong; null for the whole step. */
  readonly key: string | null
  readonly note: string | null

  constructor(what: { rule: string; text: string; key?: string; note?: string }) {
    super(what.text)
    this.name = 'Fault'
    this.rule = what.rule
    this.key = what.key ?? null
    this.note = what.note ?? null
  }
}

/** A result that is still there. @throws Fault when it was given back, or never came to be */
export function heldAny(run: Run, name: string): Held {
  const held = run.results.get(name)
  if (!held) {
    const text = `${name}: there is no such result on Linux ${run.system.machine.kernel}`
    const note = 'the step that makes it is for other kernels'
    throw new Fault({ rule: 'scenario-unknown-name', text, note })
  }
  if (held.gone) throw new Fault(goneFault(run, name, held, held.gone))
  if (held.kind !== null && held.what === undefined) {
    const text = `${name}: line ${held.line} made nothing (${spellFields(held.fields)}), expected ${held.kind}`
    const note = 'say what that step must give, so that the scenario ends there when it fails'
    throw new Fault({ rule: 'scenario-nothing-there', text, note })
  }
  return held
}

/** A result of this kind. The schema has seen to the kind. */
export function held<K extends Kind>(run: Run, name: string, kind: K): HeldKinds[K] {
  const found = heldAny(run, name)
  if (found.kind !== kind)
    throw new Error(`held: ${name} is ${found.kind}, expected ${kind}; is VERBS.refs right?`)
  return found.what as HeldKinds[K]
}

/** Notes that a result is given back by the step that runs. */
export function bury(run: Run, name: string): void {
  const found = run.results.get(name)
  if (found) found.gone = { line: run.line, verb: run.verb }
}

function goneFault(run: Run, name: string, held: Held, gone: { line: number; verb: string }) {
  const pfn = held.fields['pfn']
  const which = typeof pfn === 'number' ? `${name} (pfn 0x${pfn.toString(16)})` : name
  const twice = run.verb === gone.verb
  return {
    rule: twice ? 'scenario-freed-twice' : 'scenario-gone',
    text: `${run.verb}: ${which} was given back by ${gone.verb} in line ${gone.line}, expected one that is still held`,
    note: twice
      ? `drop one of the two: lines ${gone.line} and ${run.line}`
      : `move this step before line ${gone.line}`,
  }
}

const HEX = new Set(['pfn', 'handle', 'handles', 'cpu', 'va'])

/** A field for a person: addresses in hex, those of an arm64 kernel with the twelve bits that numbers go without. */
export function spellField(name: string, value: Field): string {
  if (Array.isArray(value)) return `[${value.map((each: number) => spellField(name, each)).join(', ')}]`
  if (typeof value === 'number' && HEX.has(name)) {
    const top = name === 'cpu' && value >= 2 ** 48 ? 'fff' : ''
    return value < 0 ? String(value) : `0x${top}${value.toString(16)}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

export function spellFields(fields: Fields): string {
  const entries = Object.entries(fields)
  return entries.map(([name, value]) => `${name} ${spellField(name, value)}`).join(', ') || 'nothing'
}
// #endregion scenario-context
