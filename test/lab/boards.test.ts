// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Cache } from '../../code/lab/cache.ts'
import { kernelCmdline, planBoard } from '../../code/lab/board_qemu.ts'
import { BOARDS, MACHINE_NAMES } from '../../code/lab/boards.ts'
import type { Command } from '../../code/lab/command.ts'
import { joinLogs } from '../../code/lab/kernel_log.ts'
import type { LabKernel } from '../../code/lab/kernels.ts'
import { findLab } from '../../code/lab/lab_list.ts'
import { optionsBeside } from '../../code/lab/model_system.ts'
import { privateAptStep } from '../../code/lab/private_apt.ts'
import { root } from '../support/files.ts'

const kernel: Omit<LabKernel, 'arch'> = {
  name: 'lab',
  series: '6.12',
  version: '6.12.117',
  origin: 'a test',
  key: 'kernel-key',
  image: '/k/Image',
  headers: '/k/build',
  dtbs: '/k/dtbs',
  fetch: [],
}

function planned(labName: string, bootName: string) {
  const lab = findLab(root, labName)
  const boot = lab.boots.find(({ name }) => name === bootName)!
  const { arch } = BOARDS[lab.board?.machine ?? 'virt']
  const tree = { path: boot.tree!, from: join(root, boot.tree!), patched: null }
  const plan = planBoard(new Cache('/cache'), lab, boot, {
    ...{ kernel: { ...kernel, arch }, busybox: { arch, packageVersion: '1', key: 'b' }, builds: [] },
    ...{ run: '/cache/runs/r', limit: 60, keep: false, tree },
  })
  return { ...plan, argv: plan.qemu.argv.join(' ') }
}

const words = (commands: readonly Command[]): string[] =>
  commands.map((each) => (each.do === 'exec' ? each.argv.join(' ') : each.do))

describe('BOARDS', () => {
  it('has each machine that a lab can name; the files that change a tree are there', () => {
    expect(Object.keys(BOARDS).sort()).toEqual([...MACHINE_NAMES].sort())
    for (const { tree } of Object.values(BOARDS))
      if (tree.from === 'kernel' && tree.changes) expect(existsSync(join(root, tree.changes))).toBe(true)
  })

  it('gives a 32-bit board no early console: a line printed while its page tables are laid out ends the boot', () => {
    for (const { arch, earlycon } of Object.values(BOARDS)) expect(earlycon === null).toBe(arch === 'arm')
  })
})

describe('planBoard()', () => {
  it('takes the ZCU102’s tree from the kernel, fits it to QEMU, then puts the overlay in', () => {
    const { argv, deviceTree } = planned('zcu102', 'pool')
    expect(argv).toContain('qemu-system-aarch64 -M xlnx-zcu102 -smp 2 -m 2G -nodefaults')
    expect(argv).toContain('-serial stdio')
    const [decompile, fit, overlay, put] = words(deviceTree!.commands)
    expect(decompile).toMatch(
      /^dtc -q -I dtb -O dts -o \S+\/kernel\.dts \/k\/dtbs\/zynqmp-zcu102-rev1\.0\.dtb$/,
    )
    expect(fit).toMatch(
      /^dtc -q -I dts -O dtb -i \S+ -o \S+own\.dtb \S+\/kernel\/dts\/board-xlnx-zcu102\.dts$/,
    )
    expect(overlay).toContain('kernel/dts/zcu102-pool.dtso')
    expect(put).toMatch(/^fdtoverlay -i \S+own\.dtb/)
  })

  it('names the ZCU102’s tree by what the changes say: another text, another folder in the cache', () => {
    const changes = readFileSync(join(root, 'kernel/dts/board-xlnx-zcu102.dts'), 'utf8')
    expect(changes).toContain('/include/ "kernel.dts"')
    const first = planned('zcu102', 'pool').deviceTree?.makes?.final
    expect(planned('zcu102', 'no-map').deviceTree?.makes?.final).not.toBe(first)
    expect(planned('zcu102', 'pool').deviceTree?.makes?.final).toBe(first)
  })

  it('connects the Zynq’s second serial line, and lets the guest end by a reset', () => {
    const { argv, deviceTree, initramfs } = planned('zynq', 'pool')
    expect(argv).toContain('qemu-system-arm -M xilinx-zynq-a9 -smp 1 -m 1G')
    expect(argv).toContain('-serial null -serial stdio -no-reboot')
    expect(argv).toContain('console=ttyPS0 ')
    expect(deviceTree!.commands[0]).toMatchObject({ do: 'copy', from: '/k/dtbs/zynq-zc702.dtb' })
    const init = initramfs.commands.find((each) => each.do === 'write' && each.path.endsWith('/init'))
    expect(init?.do === 'write' && init.text).toMatch(/say done\nstty opost < \/dev\/console\nreboot -f\n$/)
  })

  it('lets a compared boot speak early where it can, and keep all in the log where it cannot', () => {
    const of = (name: string) => kernelCmdline(findLab(root, name), findLab(root, name).boots[0]!)
    expect(of('zcu102')).toContain(' earlycon=cdns,mmio,0xff000000,115200n8 memblock=debug nr_cpus=2')
    expect(of('zynq')).toContain(' quiet log_buf_len=4M memblock=debug maxcpus=1')
    expect(of('arm')).not.toContain('earlycon')
  })
})

describe('joinLogs()', () => {
  const record = (seconds: number, text: string) => ({ seconds, text })
  const console = ['[    0.000000] early', '[    1.000000] CPU1: failed to come online']

  it('takes a log buffer that still has its first line as it is', () => {
    const whole = [record(0, 'Booting Linux on physical CPU 0x0'), record(0, 'early'), record(2, 'late')]
    expect(joinLogs(console, whole)).toEqual(whole)
  })

  it('else begins with the console, and goes on with what came after', () => {
    expect(joinLogs(console, [record(0.5, 'half'), record(2, 'late')]).map(({ text }) => text)).toEqual([
      ...['early', 'CPU1: failed to come online', 'late'],
    ])
  })
})

describe('privateAptStep()', () => {
  const sources = 'Types: deb\nSuites: bookworm\n\nTypes: deb\nSuites: bookworm-security\n'
  const written = (guest: 'arm' | 'arm64'): string => {
    const file = privateAptStep('/apt', sources, guest).commands.find(
      (each) => each.do === 'write' && each.path.endsWith('debian.sources'),
    )
    return file?.do === 'write' ? file.text : ''
  }

  it('asks for no security updates of armhf, and for all of arm64', () => {
    expect(written('arm64')).toBe(sources)
    expect(written('arm').match(/^Architectures: (amd64|arm64)$/gm)).toHaveLength(1)
    expect(written('arm').split(/\n\n/)[0]).not.toContain('Architectures')
  })
})

describe('optionsBeside()', () => {
  it('gives the model of our arm kernel the page blocks that kernel/configs/lab-arm.config makes', () => {
    const config = readFileSync(join(root, 'kernel/configs/lab-arm.config'), 'utf8')
    expect(config).not.toMatch(/CONFIG_(ARCH_FORCE_MAX_ORDER|ARM_LPAE|HUGETLB_PAGE)/)
    expect(config).toMatch(/^CONFIG_CMA_AREAS=20$/m)
    expect(config).toMatch(/^CONFIG_CMA_SIZE_MBYTES=16$/m)
    expect(() =>
      optionsBeside({
        ...{ lab: 'l', boot: 'b', name: 'lab', series: '6.12', arch: 'arm', kernel: '5.0', cmdline: '' },
        ...{ console: '', dmesg: [], iomem: '', collected: {} },
      }),
    ).toThrow(/no model of Linux 5\.0/)
  })
})
