// SPDX-License-Identifier: MIT
//
// The boards that a lab can name.
import type { Board } from './board.ts'
import { VIRT_ARM, VIRT_ARM64 } from './boards_virt.ts'
import { XILINX_ZYNQ_A9, XLNX_ZCU102 } from './boards_xilinx.ts'

export const MACHINE_NAMES = ['virt', 'virt-arm', 'xlnx-zcu102', 'xilinx-zynq-a9'] as const
export type MachineName = (typeof MACHINE_NAMES)[number]

export const BOARDS: Readonly<Record<MachineName, Board>> = {
  virt: VIRT_ARM64,
  'virt-arm': VIRT_ARM,
  'xlnx-zcu102': XLNX_ZCU102,
  'xilinx-zynq-a9': XILINX_ZYNQ_A9,
}
