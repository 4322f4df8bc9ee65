// SPDX-License-Identifier: MIT
//
// Two boards of Xilinx's, as far as QEMU plays them. Their trees come from the kernel's build, as on the real boards.
import type { Board } from './board.ts'

/** ZCU102: a Zynq UltraScale+, four Cortex-A53, of which QEMU is asked for two. */
export const XLNX_ZCU102: Board = {
  arch: 'arm64',
  qemu: 'qemu-system-aarch64',
  machine: 'xlnx-zcu102',
  cpus: [],
  // With more than 2 GiB QEMU's memory node covers the devices.
  ram: '2G',
  smp: 2,
  console: 'console=ttyPS0',
  // The tree has four CPUs: without the limit the kernel tries the two that are not there.
  cmdline: 'nr_cpus=2',
  earlycon: 'earlycon=cdns,mmio,0xff000000,115200n8',
  serial: ['-serial', 'stdio'],
  more: ['-audiodev', 'none,id=silent', '-net', 'none'],
  tree: {
    from: 'kernel',
    file: 'zynqmp-zcu102-rev1.0.dtb',
    changes: 'kernel/dts/board-xlnx-zcu102.dts',
  },
  end: 'poweroff -f',
}

/** ZC702: a Zynq-7000, two Cortex-A9, of which QEMU plays one. Its second serial line is the console. */
export const XILINX_ZYNQ_A9: Board = {
  arch: 'arm',
  qemu: 'qemu-system-arm',
  machine: 'xilinx-zynq-a9',
  cpus: [],
  ram: '1G',
  smp: 1,
  console: 'console=ttyPS0',
  // Waiting for the second CPU would take a second.
  cmdline: 'maxcpus=1',
  earlycon: null,
  serial: ['-serial', 'null', '-serial', 'stdio'],
  more: ['-net', 'none'],
  tree: { from: 'kernel', file: 'zynq-zc702.dtb' },
  // It has no firmware that could switch it off.
  end: 'reboot -f',
}
