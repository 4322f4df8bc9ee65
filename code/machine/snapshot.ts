// SPDX-License-Identifier: MIT
//
// A machine's state, kept and brought back exactly: every object that can be reached from it gets the contents back that it
// had, and stays the same object, so that whoever holds a part of the machine goes on holding it.
//
//     const before = takeSnapshot(system)
//     …                                        anything: pages move, processes come and go, RAM is written
//     restoreSnapshot(before)                  as if nothing had been
//
// It works because a model's state lies in plain objects, arrays, maps, sets and typed arrays, never in variables that a
// function closes over. What was made after the snapshot is not destroyed; the machine forgets it.
// Leaves out: private fields (#x) and getters, which the models do not use for state; frozen objects, which have none.

// #region snapshot-types
// An object with the contents that it had.
type Kept =
  | { readonly is: 'bytes'; readonly object: Uint8Array; readonly was: Uint8Array }
  | { readonly is: 'list'; readonly object: unknown[]; readonly was: readonly unknown[] }
  | {
      readonly is: 'map'
      readonly object: Map<unknown, unknown>
      readonly was: readonly (readonly [unknown, unknown])[]
    }
  | { readonly is: 'set'; readonly object: Set<unknown>; readonly was: readonly unknown[] }
  | {
      readonly is: 'record'
      readonly object: object
      readonly was: readonly (readonly [PropertyKey, unknown])[]
    }

/** What takeSnapshot() keeps; it belongs to the machine that it was taken of. */
export interface Snapshot {
  readonly kept: readonly Kept[]
}
// #endregion snapshot-types

// #region snapshot-take
/** Keeps the state of `machine` and of all that it refers to. @cost a copy of every page in use, and of struct pages */
export function takeSnapshot(machine: object): Snapshot {
  const kept: Kept[] = []
  const seen = new Set<object>()
  const open: object[] = []
  const meet = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (!Object.isFrozen(value) || ArrayBuffer.isView(value)) open.push(value)
  }
  meet(machine)
  for (let object = open.pop(); object; object = open.pop()) {
    const each = keep(object)
    kept.push(each)
    for (const value of within(each)) meet(value)
  }
  return { kept }
}
// #endregion snapshot-take

// #region snapshot-restore
function keep(object: object): Kept {
  if (ArrayBuffer.isView(object)) {
    const bytes = new Uint8Array(object.buffer, object.byteOffset, object.byteLength)
    return { is: 'bytes', object: bytes, was: bytes.slice() }
  }
  if (Array.isArray(object)) return { is: 'list', object, was: [...(object as unknown[])] }
  if (object instanceof Map) return { is: 'map', object, was: [...(object as Map<unknown, unknown>)] }
  if (object instanceof Set) return { is: 'set', object, was: [...(object as Set<unknown>)] }
  return { is: 'record', object, was: fieldsOf(object) }
}

// Fields that hold something; what a getter answers follows from them.
function fieldsOf(object: object): [PropertyKey, unknown][] {
  return Reflect.ownKeys(object).flatMap((key): [PropertyKey, unknown][] => {
    const field = Object.getOwnPropertyDescriptor(object, key)
    return field && 'value' in field && field.writable ? [[key, field.value]] : []
  })
}

// What the contents refer to.
function within(kept: Kept): readonly unknown[] {
  if (kept.is === 'bytes') return []
  if (kept.is === 'map') return kept.was.flat()
  if (kept.is === 'record') return kept.was.map(([, value]) => value)
  return kept.was
}

/** Brings everything back to what it was. The snapshot can be used again. */
export function restoreSnapshot({ kept }: Snapshot): void {
  for (const each of kept) {
    if (each.is === 'bytes') each.object.set(each.was)
    else if (each.is === 'list') refill(each.object, each.was)
    else if (each.is === 'map') {
      each.object.clear()
      for (const [key, value] of each.was) each.object.set(key, value)
    } else if (each.is === 'set') {
      each.object.clear()
      for (const value of each.was) each.object.add(value)
    } else restoreFields(each.object, each.was)
  }
}

// By hand, for a spread of a long list overruns the stack.
function refill(list: unknown[], was: readonly unknown[]): void {
  list.length = was.length
  for (let i = 0; i < was.length; i++) list[i] = was[i]
}

function restoreFields(object: object, was: readonly (readonly [PropertyKey, unknown])[]): void {
  const names = new Set(was.map(([key]) => key))
  for (const [key] of fieldsOf(object)) if (!names.has(key)) Reflect.deleteProperty(object, key)
  for (const [key, value] of was) Reflect.set(object, key, value)
}
// #endregion snapshot-restore
