// SPDX-License-Identifier: MIT
//
// What console.log prints, ours and not the host's: Node's inspector and a browser's console differ, and a recorded
// output must be the same bytes in both. A string at the top stands as it is, everything else as it would be written.
//
//     [1, 2]   { base: 0x…, name: 'cma' }   Uint8Array(3) [1, 2, 3]   Map(1) { 'a' => 1 }   12n   Error: text
//
// A value that fits stands on one line, otherwise one entry a line, indented by two.

const WIDTH = 88
const MAX_ENTRIES = 100
const MAX_DEPTH = 5

/** The line for one call, without its newline. */
export function formatLog(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : formatValue(value))).join(' ')
}

/** One value, as it would be written. */
export function formatValue(value: unknown): string {
  return write(value, 0, [])
}

function quoted(text: string): string {
  const escaped = text
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/\t/g, '\\t')
    .replace(/\r/g, '\\r')
    // eslint-disable-next-line no-control-regex -- control characters are what is to be shown
    .replace(/[\0-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  if (!escaped.includes("'")) return `'${escaped}'`
  return escaped.includes('"') ? `'${escaped.replace(/'/g, "\\'")}'` : `"${escaped}"`
}

function write(value: unknown, depth: number, above: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return value.toString()
    case 'function':
      return /^class\b/.test(Function.prototype.toString.call(value))
        ? `[class ${value.name || '(anonymous)'}]`
        : `[function ${value.name || '(anonymous)'}]`
    case 'object':
      return value === null ? 'null' : writeObject(value, depth, above)
    default:
      return String(value)
  }
}

/**
 * The name of its class. A prototype without a constructor of its own has its tag instead: what an iterator inherits
 * beyond that differs between engines.
 */
function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
  if (prototype === null) return ''
  const own = Object.hasOwn(prototype, 'constructor')
  const name = own ? prototype.constructor?.name : Reflect.get(value, Symbol.toStringTag)
  return typeof name === 'string' ? name : ''
}

function errorText(error: Error): string {
  const name = String(error.name || className(error) || 'Error')
  return error.message ? `${name}: ${error.message}` : name
}

/** Objects that have a short form of their own, or null. */
function writeLeaf(value: object): string | null {
  if (value instanceof Error) return `[${errorText(value)}]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`
  if (value instanceof DataView) return `DataView(${value.byteLength})`
  if (value instanceof Promise) return 'Promise'
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef)
    return className(value)
  return null
}

function writeObject(value: object, depth: number, above: readonly object[]): string {
  const leaf = writeLeaf(value)
  if (leaf !== null) return leaf
  if (above.includes(value)) return '[circular]'
  const name = className(value)
  const inner = (entry: unknown) => write(entry, depth + 1, [...above, value])

  if (Array.isArray(value) || (ArrayBuffer.isView(value) && Symbol.iterator in value)) {
    const list = value as ArrayLike<unknown>
    const prefix = Array.isArray(value) && name === 'Array' ? '' : `${name}(${list.length}) `
    if (depth >= MAX_DEPTH && list.length > 0) return `${prefix}[…]`
    return enclose(`${prefix}[`, listEntries(list, inner), ']', depth)
  }
  if (value instanceof Map || value instanceof Set) {
    if (depth >= MAX_DEPTH && value.size > 0) return `${name}(${value.size}) {…}`
    return enclose(`${name}(${value.size}) {`, collectionEntries(value, inner), '}', depth)
  }
  const prefix = name === 'Object' || name === '' ? '' : `${name} `
  const keys = Object.keys(value)
  if (depth >= MAX_DEPTH && keys.length > 0) return `${prefix}{…}`
  return enclose(`${prefix}{`, propertyEntries(value, keys, inner), '}', depth)
}

function rest(length: number): string[] {
  return length > MAX_ENTRIES ? [`… ${length - MAX_ENTRIES} more`] : []
}

function listEntries(list: ArrayLike<unknown>, inner: (entry: unknown) => string): string[] {
  const entries: string[] = []
  for (let index = 0; index < Math.min(list.length, MAX_ENTRIES); index += 1) {
    entries.push(Object.hasOwn(list, index) ? inner(list[index]) : '(hole)')
  }
  return [...entries, ...rest(list.length)]
}

function collectionEntries(
  value: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  inner: (entry: unknown) => string,
): string[] {
  const entries: string[] = []
  const isMap = value instanceof Map
  for (const [key, entry] of value.entries()) {
    if (entries.length === MAX_ENTRIES) break
    entries.push(isMap ? `${inner(key)} => ${inner(entry)}` : inner(entry))
  }
  return [...entries, ...rest(value.size)]
}

/** Own enumerable properties. A getter is named and not called: printing must change nothing. */
function propertyEntries(
  value: object,
  keys: readonly string[],
  inner: (entry: unknown) => string,
): string[] {
  const entries = keys.slice(0, MAX_ENTRIES).map((key) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    return `${name}: ${descriptor && 'value' in descriptor ? inner(descriptor.value) : '[getter]'}`
  })
  return [...entries, ...rest(keys.length)]
}

function enclose(open: string, entries: readonly string[], close: string, depth: number): string {
  if (entries.length === 0) return open + close
  const space = close === '}' ? ' ' : ''
  const line = `${open}${space}${entries.join(', ')}${space}${close}`
  if (line.length + depth * 2 <= WIDTH && !line.includes('\n')) return line
  const indent = '  '.repeat(depth + 1)
  return `${open}\n${entries.map((entry) => `${indent}${entry},\n`).join('')}${'  '.repeat(depth)}${close}`
}

/** The text of what was thrown, as it follows "throws". */
export function formatThrown(thrown: unknown): string {
  return thrown instanceof Error ? errorText(thrown) : formatValue(thrown)
}
