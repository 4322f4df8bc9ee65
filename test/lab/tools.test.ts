// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { findCommand, installCommand, missingTools, needTools, TOOLS } from '../../code/lab/tools.ts'
import type { Complaint } from '../../code/lib/complaint.ts'

describe('missingTools()', () => {
  it('finds everything missing where there is nothing', () => {
    const missing = missingTools(['board'], '/nowhere')
    expect(missing.map((tool) => tool.package)).toContain('qemu-system-arm')
    expect(missing.every((tool) => tool.purpose === 'board')).toBe(true)
  })
})

describe('findCommand()', () => {
  it('finds a program as the shell does, and no folder', () => {
    expect(findCommand('sh', '/nowhere:/bin')).toBe('/bin/sh')
    expect(findCommand('bin', '/usr')).toBeNull()
  })
})

describe('installCommand()', () => {
  it('is one command, with sudo for all but root', () => {
    const two = TOOLS.slice(0, 2)
    expect(installCommand(two, true).join(' ')).toBe(
      'apt-get install -y --no-install-recommends qemu-system-arm gcc-aarch64-linux-gnu',
    )
    expect(installCommand(two, false)[0]).toBe('sudo')
  })
})

describe('needTools()', () => {
  it('names program, package and command, and leaves with 4', () => {
    const path = process.env['PATH']
    try {
      process.env['PATH'] = '/nowhere'
      needTools(['board'])
      expect.unreachable()
    } catch (error) {
      expect((error as Complaint).exitCode).toBe(4)
      expect((error as Complaint).message).toContain(
        'qemu-system-aarch64: the virtual board (Debian package qemu-system-arm)',
      )
      expect((error as Complaint).next[0]).toContain(
        'apt-get install -y --no-install-recommends qemu-system-arm',
      )
    } finally {
      process.env['PATH'] = path
    }
  })
})
