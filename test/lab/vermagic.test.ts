// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { vermagicOf, vermagicTrouble } from '../../code/lab/vermagic.ts'

const module = (...entries: string[]): Uint8Array =>
  new TextEncoder().encode(`\x7fELF\0${entries.join('\0')}\0rest`)
const board = { release: '6.12.1-arm64', version: '#1 SMP Debian', machine: 'aarch64' }

describe('vermagicOf()', () => {
  it('finds the entry among the others, and no other that ends alike', () => {
    expect(vermagicOf(module('license=GPL', 'xvermagic=no', 'vermagic=6.12.1 SMP mod_unload aarch64'))).toBe(
      '6.12.1 SMP mod_unload aarch64',
    )
    expect(vermagicOf(module('license=GPL', 'xvermagic=no'))).toBeNull()
  })
})

describe('vermagicTrouble()', () => {
  it('lets a module of the very kernel pass', () => {
    expect(vermagicTrouble('6.12.1-arm64 SMP mod_unload modversions aarch64', board)).toBeNull()
    const arm = { release: '5.10.9', version: '#1 PREEMPT', machine: 'armv7l' }
    expect(vermagicTrouble('5.10.9 preempt mod_unload ARMv7 p2v8 ', arm)).toBeNull()
  })

  it.for([
    [null, 'it carries no version magic, so it is no kernel module'],
    ['6.12.2-arm64 SMP mod_unload aarch64', 'it is for Linux 6.12.2-arm64, and the board runs 6.12.1-arm64'],
    [
      '6.12.1-arm64 mod_unload aarch64',
      'it is for a kernel of one processor, and the board’s is “#1 SMP Debian”',
    ],
    ['6.12.1-arm64 SMP mod_unload ARMv7', 'it is for ARMv7, and the board’s machine is aarch64'],
  ] as const)('refuses %s', ([magic, why]) => {
    expect(vermagicTrouble(magic, board)).toBe(why)
  })
})
