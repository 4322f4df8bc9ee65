// SPDX-License-Identifier: MIT
//
// Stages each case on a modelled machine, makes the call there, and asks the reader's whoServes() the same. When they
// differ, it looks for a single mistake that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_alloc_coherent, dma_free_coherent } from 'contiguous/dma/mapping'
import { gen_pool_has_addr } from 'contiguous/lib/genalloc'
import { KiB, MiB } from 'contiguous/lib/units'
import { startSystem, type System } from 'contiguous/machine/system'
import { GFP_ATOMIC, GFP_KERNEL } from 'contiguous/mm/gfp'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice, type Device } from 'contiguous/of/reserved_mem'
import { of_reserved_mem_device_init } from 'contiguous/of/reserved_mem_device'
import { findNode } from 'contiguous/of/tree'

const FILE = 'who_serves.ts'
const READ = 'Who serves'
const SLEEP = 'A caller that must not sleep'
const ATOMIC_PAGES = 32
const BLOCK_PAGES = 1024

type Area = 'none' | 'room' | 'full' | 'above'
interface Request {
  readonly ownPool: 'none' | 'room' | 'full'
  readonly ownArea: Area
  readonly defaultArea: Area
  readonly coherent: boolean
  readonly maySleep: boolean
  readonly pages: number
}
type Server = 'own pool' | 'atomic pool' | 'own area' | 'default area' | 'page allocator' | null
interface Answer {
  readonly request: Request
  readonly expected: Server
  readonly given: unknown
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const whoServes = context.kind === 'typescript' ? context.module['whoServes'] : undefined
  if (typeof whoServes !== 'function') {
    return { findings: [finding('ex-export-missing', 'whoServes is not an exported function', [], READ)] }
  }
  const answers = cases().map(({ request, expected }) => ({
    ...{ request, expected },
    given: (whoServes as (request: Request) => unknown)(Object.freeze({ ...request })),
  }))
  const wrong = answers.filter(({ expected, given }) => expected !== given)
  if (wrong.length === 0) return { findings: [], shown: [`${answers.length} cases, the same answers as the model`] }
  return { findings: [diagnose(answers, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

// #region the oracle
const SETUPS: readonly Pick<Request, 'ownArea' | 'defaultArea'>[] = [
  { ownArea: 'none', defaultArea: 'none' },
  { ownArea: 'none', defaultArea: 'room' },
  { ownArea: 'none', defaultArea: 'full' },
  { ownArea: 'none', defaultArea: 'above' },
  { ownArea: 'room', defaultArea: 'room' },
  { ownArea: 'full', defaultArea: 'room' },
]
const PAGES = [1, 2, 24, 1024, 1025]
// With the area out of reach the atomic pools, which are cut from it, would be out of reach as well.
const staged = ({ ownPool, defaultArea, coherent, maySleep, pages }: Request): boolean =>
  !(defaultArea === 'above' && ownPool === 'none' && !coherent && !maySleep) && !(ownPool === 'room' && pages > 1024)

function cases(): Omit<Answer, 'given'>[] {
  return SETUPS.flatMap((setup) => {
    const machine = stage(setup)
    const wishes = (['none', 'room', 'full'] as const).flatMap((ownPool) =>
      [false, true].flatMap((coherent) =>
        [true, false].flatMap((maySleep) =>
          PAGES.map((pages): Request => ({ ...setup, ownPool, coherent, maySleep, pages })),
        ),
      ),
    )
    return wishes.filter(staged).map((request) => ({ request, expected: serve(machine, request) }))
  })
}

interface Staged {
  readonly system: System
  readonly devices: Readonly<Record<Request['ownPool'], Device>>
}

const BOARD = `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x40000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		p1: pool@58000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0x58000000 0x0 0x400000>; };
		p2: pool@59000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0x59000000 0x0 0x400000>; };
		a: area@50000000 { compatible = "shared-dma-pool"; reusable; reg = <0x0 0x50000000 0x0 0x800000>; };
	};
	with-room { memory-region = <&p1>; };
	used-up { memory-region = <&p2>; };
	with-area { memory-region = <&a>; };
	plain { };
};`

function stage({ ownArea, defaultArea }: Pick<Request, 'ownArea' | 'defaultArea'>): Staged {
  const above = defaultArea === 'above'
  const cmdline = defaultArea === 'none' ? 'cma=0' : `cma=16M@${above ? '0x70000000' : '0x48000000'}`
  const tree = parseDts(BOARD, 'board.dts').tree!
  const system = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline, image: null })
  const device = (name: string): Device => {
    const dev = createDevice(name, findNode(tree, `/${name}`))
    if (name !== 'plain') of_reserved_mem_device_init(system.machine.reserved_mem, dev)
    if (above) dev.bus_dma_limit = 0x5fff_ffff
    return dev
  }
  const devices = {
    none: device(ownArea === 'none' ? 'plain' : 'with-area'),
    room: device('with-room'),
    full: device('used-up'),
  }
  dma_alloc_coherent(system.dma, devices.full, MiB(4), GFP_KERNEL)
  if (ownArea === 'full') fill(system, devices.none, KiB(4), 'own area')
  if (defaultArea === 'full') fill(system, devices.none, KiB(8), 'default area')
  return { system, devices }
}

// Takes pieces until somebody else serves: large ones first.
function fill(system: System, dev: Device, least: number, from: Server): void {
  for (let size = MiB(1); size >= least; size /= 2) {
    for (;;) {
      const buffer = dma_alloc_coherent(system.dma, dev, size, GFP_KERNEL)
      if (buffer === null || serverOf(system, dev, buffer) !== from) break
    }
  }
}

function serverOf(
  { cma, dma }: System,
  dev: Device,
  { cpu_addr, dma_handle }: { cpu_addr: number; dma_handle: number },
): Server {
  if (dev.dma_mem) return 'own pool'
  const { atomic } = dma
  const pools = [atomic.kernel, atomic.dma, atomic.dma32]
  if (pools.some((pool) => pool && gen_pool_has_addr(pool, cpu_addr, 1))) return 'atomic pool'
  const area = cma.find(({ base, size }) => dma_handle >= base && dma_handle < base + size)
  if (!area) return 'page allocator'
  return area.base === 0x50000000 ? 'own area' : 'default area'
}

function serve({ system, devices }: Staged, { ownPool, coherent, maySleep, pages }: Request): Server {
  const dev = devices[ownPool]
  dev.dma_coherent = coherent
  const size = pages * KiB(4)
  const buffer = dma_alloc_coherent(system.dma, dev, size, maySleep ? GFP_KERNEL : GFP_ATOMIC)
  if (!buffer) return null
  const server = serverOf(system, dev, buffer)
  dma_free_coherent(system.dma, dev, size, buffer.cpu_addr, buffer.dma_handle)
  return server
}
// #endregion the oracle

// #region known mistakes
/** What differs from the right rules. */
interface Slip {
  readonly poolFallsBack?: boolean
  readonly onePage?: boolean
  readonly atomicForAll?: boolean
  readonly cmaAwake?: boolean
  readonly fullIsFinal?: boolean
  readonly defaultAfterOwn?: boolean
  readonly anySize?: boolean
}

function byRules(request: Request, slip: Slip): Server {
  const { ownPool, ownArea, defaultArea, coherent, maySleep, pages } = request
  if (ownPool === 'room') return 'own pool'
  if (ownPool === 'full' && !slip.poolFallsBack) return null
  if (!maySleep && (!coherent || slip.atomicForAll)) return pages <= ATOMIC_PAGES ? 'atomic pool' : null
  if (maySleep || slip.cmaAwake) {
    const enough = pages > 1 || slip.onePage === true
    if (ownArea === 'room') return 'own area'
    if ((ownArea === 'none' || slip.defaultAfterOwn) && enough && defaultArea === 'room') return 'default area'
    const asked = ownArea === 'none' ? (enough ? defaultArea : 'none') : ownArea
    if (slip.fullIsFinal && asked === 'full') return null
  }
  return pages <= BLOCK_PAGES || slip.anySize ? 'page allocator' : null
}

const MISTAKES: readonly { rule: string; text: string; slip: Slip; read: string }[] = [
  {
    rule: 'ex-pool-falls-back',
    text: 'a device with a pool of its own is served from somewhere else when that is full; the pool’s answer is final',
    slip: { poolFallsBack: true },
    read: READ,
  },
  {
    rule: 'ex-one-page-from-cma',
    text: 'a single page is taken from the default area; that is asked for more than a page only',
    slip: { onePage: true },
    read: READ,
  },
  {
    rule: 'ex-atomic-for-coherent',
    text: 'a coherent device gets the atomic pool; its buffer needs no mapping, so nothing about it has to sleep',
    slip: { atomicForAll: true },
    read: SLEEP,
  },
  {
    rule: 'ex-cma-without-sleep',
    text: 'CMA serves a caller that must not sleep; to empty its pages it may have to move a program’s, and wait',
    slip: { cmaAwake: true },
    read: SLEEP,
  },
  {
    rule: 'ex-full-area-is-final',
    text: 'a full area is taken for the end of it, as on 32-bit ARM; dma-direct asks the page allocator next',
    slip: { fullIsFinal: true },
    read: READ,
  },
  {
    rule: 'ex-default-after-own',
    text: 'the default area stands in for a full area of the device’s own; after that comes the page allocator',
    slip: { defaultAfterOwn: true },
    read: READ,
  },
  {
    rule: 'ex-any-size',
    text: 'the page allocator serves any size; its largest block has 1024 pages',
    slip: { anySize: true },
    read: READ,
  },
]
// #endregion known mistakes

function diagnose(answers: readonly Answer[], wrong: readonly Answer[]): Finding {
  const evidence = wrong.slice(0, 3).map(told)
  if (answers.every(({ given }) => given === null)) {
    return finding('ex-not-written', 'every request gets NULL, so nobody is served yet', evidence, READ)
  }
  const found = MISTAKES.find(({ slip }) => answers.every(({ request, given }) => given === byRules(request, slip)))
  if (found) return finding(found.rule, found.text, evidence, found.read)
  const text = `${wrong.length} of ${answers.length} cases are answered otherwise than by the model`
  return finding('ex-other-server', text, evidence, READ)
}

function told({ request, expected, given }: Answer): string {
  const { ownPool, ownArea, defaultArea, coherent, maySleep, pages } = request
  const device = `${coherent ? 'coherent' : 'not coherent'}, own pool ${ownPool}, own area ${ownArea}, default area ${defaultArea}`
  const call = `${pages} page${pages === 1 ? '' : 's'}, ${maySleep ? 'may sleep' : 'must not sleep'}`
  return `${device}; ${call}: ${String(expected ?? 'NULL')}, yours ${String(given ?? 'NULL')}`
}
