// SPDX-License-Identifier: MIT
//
// QEMU's own board `virt`, which no factory ever made: 64-bit and 32-bit.
import type { Board } from './board.ts'

// By its address: without one, 6.1 finds the console in the tree too late, when the first lines are lost.
const PL011 = {
  console: 'console=ttyAMA0',
  earlycon: 'earlycon=pl011,0x9000000',
  serial: ['-serial', 'stdio'],
  tree: { from: 'qemu' },
  end: 'poweroff -f',
} as const

export const VIRT_ARM64: Board = {
  ...PL011,
  arch: 'arm64',
  qemu: 'qemu-system-aarch64',
  machine: 'virt',
  cpus: ['cortex-a53', 'cortex-a57', 'cortex-a72'],
  ram: '512M',
  smp: 2,
}

export const VIRT_ARM: Board = {
  ...PL011,
  // While arm lays out its page tables the early console is not mapped, and a line printed then is the last one.
  earlycon: null,
  arch: 'arm',
  qemu: 'qemu-system-arm',
  machine: 'virt',
  cpus: ['cortex-a15', 'cortex-a7'],
  ram: '512M',
  smp: 2,
}
