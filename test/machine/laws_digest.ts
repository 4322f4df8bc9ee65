// SPDX-License-Identifier: MIT
//
// A number for all the plain state that hangs from an object: objects, arrays, maps, sets, typed arrays, and who refers to
// whom. It is written without the snapshot's own walk, so that what that one forgets shows.

const float = new Float64Array(1)
const halves = new Uint32Array(float.buffer)

/** Equal for equal states. Functions are left out. */
export function digest(root: object): number {
  let sum = 0x811c_9dc5
  const word = (n: number): void => {
    sum = Math.imul(sum ^ n, 0x0100_0193)
    sum ^= sum >>> 15
  }
  const known = new Map<object, number>()
  const open: object[] = []
  const meet = (value: unknown): void => {
    if (typeof value === 'number') {
      float[0] = value
      word(halves[0]!)
      word(halves[1]!)
    } else if (typeof value === 'object' && value !== null) {
      let id = known.get(value)
      if (id === undefined) {
        id = known.size
        known.set(value, id)
        open.push(value)
      }
      word(id)
    } else if (typeof value !== 'function')
      for (const char of `${typeof value} ${String(value)}`) word(char.charCodeAt(0))
  }
  meet(root)
  for (let object = open.pop(); object; object = open.pop()) {
    if (ArrayBuffer.isView(object)) bytes(object, word)
    else if (Array.isArray(object)) object.forEach(meet)
    else if (object instanceof Map)
      for (const [key, value] of object) {
        meet(key)
        meet(value)
      }
    else if (object instanceof Set) for (const value of object) meet(value)
    else
      for (const key of Object.keys(object).sort()) {
        meet(key)
        meet((object as Record<string, unknown>)[key])
      }
  }
  return sum
}

function bytes(view: ArrayBufferView, word: (n: number) => void): void {
  const { buffer, byteOffset, byteLength } = view
  const whole = byteOffset % 4 === 0 ? Math.floor(byteLength / 4) : 0
  const words = new Int32Array(buffer, whole > 0 ? byteOffset : 0, whole)
  for (let i = 0; i < whole; i++) if (words[i] !== 0) word(Math.imul(i, 0x9e37_79b1) + words[i]!)
  const rest = new Uint8Array(buffer, byteOffset + whole * 4, byteLength - whole * 4)
  for (const byte of rest) word(byte)
}
