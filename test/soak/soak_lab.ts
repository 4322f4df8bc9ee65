// SPDX-License-Identifier: MIT
//
// The soak of one device as a lab: its module loaded, fuzzed, unloaded, then loaded and unloaded over and over; what the
// kernel has in use looked at before and after. On the debug kernel its own checks are looked at too: they switch
// themselves off after a first report or when memory runs out, and a check that is off reports nothing.
import type { Lab } from '../../code/lab/lab_file.ts'
import { parseLab } from '../../code/lab/lab_file.ts'
import type { KernelName } from '../../code/lab/kernels.ts'
import { projectRoot } from '../../code/lab/project_root.ts'

/** What a device needs to be tried. */
export interface SoakDevice {
  readonly name: string
  /** Folder and name of the module under kernel/. */
  readonly module: string
  readonly params?: string
  /** The board: its overlay, RAM, and what QEMU plugs in. */
  readonly tree: string
  readonly ram: string
  readonly devices?: readonly string[]
  /** Its driver can be unbound while programs have it open. */
  readonly leaves?: true
}

const BELOW_2G = { tree: 'kernel/dts/pci-below-2g.dtso', ram: '1536M' }
const REGIONS = { tree: 'kernel/dts/soak.dtso', ram: '1G' }

export const SOAK_DEVICES: readonly SoakDevice[] = [
  { name: 'reserved-memremap', module: 'reserved_memremap', ...REGIONS, leaves: true },
  { name: 'reserved-coherent', module: 'reserved_coherent', ...REGIONS, leaves: true },
  { name: 'cma_mem', module: 'cma_mem', ...REGIONS },
  // Small slots: clearing and marking megabytes would be most of the time.
  { name: 'cma_test', module: 'cma_test', params: 'sizes=1,1,1,1', ...REGIONS },
  // Behind a bus that reaches half of the RAM: what lies above it is bounced.
  {
    name: 'stream-dma0',
    module: 'stream_dma',
    params: 'dma_bits=31 buffer_size=65536',
    ...BELOW_2G,
    devices: ['edu,dma_mask=0x7fffffff'],
    leaves: true,
  },
]

export interface SoakOptions {
  readonly kernel: KernelName
  /** Of the fuzzer, both processes together; 0: no fuzzing. */
  readonly calls: number
  readonly seed: number
  /** Loads and unloads; 0: none. */
  readonly times: number
  /** Let the kernel run out of memory now and then. */
  readonly failures: boolean
  /** Seconds that the boot may take. */
  readonly timeout: number
}

const FUZZER = [
  ...['fuzz', 'fuzz_calls', 'fuzz_cma_mem', 'fuzz_contents', 'fuzz_devices', 'fuzz_maps', 'fuzz_stream_dma'],
  ...['fuzz_work', 'ktap'],
]
const sources = (names: readonly string[]): string[] => names.map((name) => `kernel/user/${name}.c`)

// Each of these stands for a check that still works at the end.
const AWAKE: readonly object[] = [
  { shell: 'cat /proc/lockdep_stats', output: { must: ['/^ *debug_locks: +1$/'] } },
  { shell: 'cat /sys/kernel/debug/dma-api/disabled', output: { must: ['/^N$/'] } },
  { shell: 'echo scan > /sys/kernel/debug/kmemleak', exit: 0 },
]

// /dev has what a program may open, and what a driver that comes and goes leaves there.
function stepsOf(device: SoakDevice, options: SoakOptions): object[] {
  const { calls, seed, times, failures, kernel } = options
  const params = device.params === undefined ? {} : { params: device.params }
  const path = `/dev/${device.name}`
  const words = (extra: string[]): string[] => ['--seed', String(seed), ...extra, path]
  const fuzz = (count: number, ...extra: string[]): object => ({
    run: 'fuzz',
    args: words(['--calls', String(count), ...(failures ? ['--failures'] : []), ...extra]),
  })
  const cycles = [
    ...['--times', String(times), '--device', path, `/modules/${device.module}.ko`],
    ...(device.params === undefined ? [] : [device.params]),
  ]
  const skip = [...(kernel === 'debug' ? ['slab-back'] : []), ...(hasCmaDebug(kernel) ? [] : NEEDS_CMA_DEBUG)]
  const mayLook = skip.length > 0 ? { skip } : {}
  return [
    // Errors and warnings reach the console too: a board that dies has told why.
    { shell: 'dmesg -n 5' },
    ...(calls === 0
      ? []
      : [
          // What the first round makes for good: a mapping of a device's region, for one.
          { load: device.module, ...params },
          { unload: device.module },
          { run: 'levels_test', args: ['keep', '/tmp/levels'], ktap: false },
          { load: device.module, ...params },
          fuzz(calls),
          ...(device.leaves ? [fuzz(Math.max(4000, Math.ceil(calls / 4)), '--away')] : []),
          { unload: device.module },
          { run: 'levels_test', args: ['same', '/tmp/levels'], ...onlyCma(mayLook) },
        ]),
    ...(times === 0 ? [] : [{ run: 'cycles', args: cycles, ...mayLook }]),
    ...(kernel === 'debug' ? AWAKE : []),
  ]
}

const NEEDS_CMA_DEBUG = ['cma-back', 'cma-used-back', 'cma-chunk-back']
const hasCmaDebug = (kernel: KernelName): boolean => kernel === 'lab' || kernel === 'debug'
const onlyCma = (look: { skip?: string[] }): { skip?: string[] } => {
  const skip = look.skip?.filter((name) => NEEDS_CMA_DEBUG.includes(name)) ?? []
  return skip.length > 0 ? { skip } : {}
}

const QUICK_UNLOAD = 'rcupdate.rcu_expedited=1'

/** The soak of one device. */
export function soakLab(device: SoakDevice, options: SoakOptions): Lab {
  // A page that somebody still maps after it was freed shows 0xaa, and a write to it is told at the next allocation.
  const cmdline = options.kernel === 'debug' ? `${QUICK_UNLOAD} page_poison=1` : QUICK_UNLOAD
  const data = {
    name: `soak-${device.name.replaceAll('_', '-')}`,
    title: `${options.calls} calls and ${options.times} loads of ${device.module}`,
    board: { machine: 'virt', ram: device.ram, smp: 2, cmdline },
    kernels: [options.kernel],
    include: ['kernel/include/uapi', 'kernel/buffer_file'],
    modules: [`kernel/${device.module}`],
    programs: [
      { name: 'fuzz', sources: sources(FUZZER) },
      { name: 'cycles', sources: sources(['cycles', 'levels', 'ktap']) },
      { name: 'levels_test', sources: sources(['levels_test', 'levels', 'ktap']) },
    ],
    timeout: options.timeout,
    boots: [
      {
        name: 'soak',
        tree: device.tree,
        ...(device.devices ? { devices: device.devices } : {}),
        steps: stepsOf(device, options),
        expect: { log: { mustNot: ['memory leak detector disabled', 'DMA-API: debugging disabled'] } },
      },
    ],
  }
  const { lab, diagnostics } = parseLab(JSON.stringify(data), `soak of ${device.name}`, projectRoot())
  if (lab) return lab
  throw new Error(diagnostics.map(({ text }) => text).join('\n'))
}
