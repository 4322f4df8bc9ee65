// SPDX-License-Identifier: MIT
//
// The boards that a lab can name.
import type { Board } from './board.ts'
import { VIRT_ARM, VIRT_ARM64 } from './boards_virt.ts'

export const MACHINE_NAMES = ['virt', 'virt-arm'] as const
export type MachineName = (typeof MACHINE_NAMES)[number]

export const BOARDS: Readonly<Record<MachineName, Board>> = {
  virt: VIRT_ARM64,
  'virt-arm': VIRT_ARM,
}
