// SPDX-License-Identifier: MIT
//
// Lets programs of a modelled 6.12 map, cut, inherit and move the buffer of the reader's driver, and after each step holds
// its free() against the VMAs that there are. When they differ, it looks for a single slip that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { dma_mmap_coherent } from 'contiguous/dma/dma_mmap'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { do_munmap, dup_mm, exit_mmap } from 'contiguous/mm/mmap_unmap'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from 'contiguous/mm/mremap'
import type { MmStruct, Vm } from 'contiguous/mm/vm'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const FILE = 'still_mapped.ts'
const READ = 'Cut, moved, inherited'
const PAGE = 4096
const EBUSY = 16
const PAGES = 5

interface Vma {
  vm_ops: VmOps | null
  readonly vm_start: number
  readonly vm_end: number
}
interface VmOps {
  open?(vm: unknown, vma: Vma): void
  close?(vm: unknown, vma: Vma): void
}
interface Driver {
  mmap(vma: Vma, map: () => number): number
  free(): number
}

/** What one step came to. */
interface Step {
  readonly what: string
  /** VMAs of the buffer in all programs. */
  readonly vmas: number
  /** What mmap() gave, for a step that is one; else 0. */
  readonly got: number
  readonly said: number
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const createDriver = context.kind === 'typescript' ? context.module['createDriver'] : undefined
  if (typeof createDriver !== 'function') {
    return { findings: [finding('ex-export-missing', 'createDriver is not an exported function', [])] }
  }
  const steps = stepsWith(createDriver as () => Driver)
  const wrong = steps.filter((step) => !right(step))
  if (wrong.length === 0) return { findings: [], shown: [`${steps.length} steps, the same answers as the VMAs give`] }
  return { findings: [diagnose(steps, wrong)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const right = ({ vmas, got, said, what }: Step): boolean =>
  said === (vmas > 0 ? -EBUSY : 0) && (what.includes('too much') ? got === -6 : got >= 0)

// #region the oracle
const BOARD = `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
	memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; }; };`

type Program = (stage: Stage) => void
interface Stage {
  readonly vm: Vm
  readonly mm: MmStruct
  mmap(mm: MmStruct, pages: number): number
  step(what: string, got?: number): void
}

function stepsWith(createDriver: () => Driver): Step[] {
  return PROGRAMS.flatMap((program) => run(createDriver(), program))
}

function run(driver: Driver, program: Program): Step[] {
  const tree = parseDts(BOARD, 'board.dts').tree!
  const { vm, dma } = startSystem({ tree, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=4M', image: null })
  const dev = createDevice('camera', null)
  const size = PAGES * PAGE
  const { cpu_addr, dma_handle } = dma_alloc_coherent(dma, dev, size, GFP_KERNEL)!
  const node = createDeviceNode('/dev/camera', {
    mmap: (_vm, _file, vma) =>
      driver.mmap(vma as Vma, () => dma_mmap_coherent(dma, dev, vma, cpu_addr, dma_handle, size)),
  })
  const file = openFile(vm, node)
  const steps: Step[] = []
  const vmas = (): number =>
    vm.mms.reduce((sum, mm) => sum + mm.mmap.filter(({ vm_file }) => vm_file === file).length, 0)
  program({
    vm,
    mm: createProcess(vm, 'viewer'),
    mmap: (mm, pages) =>
      do_mmap(vm, mm, { len: pages * PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED, file }),
    step: (what, got = 0) => steps.push({ what, vmas: vmas(), got, said: driver.free() }),
  })
  return steps
}

const PROGRAMS: readonly Program[] = [
  ({ vm, mm, mmap, step }) => {
    step('nothing mapped')
    const va = mmap(mm, 2)
    step('mmap of two pages', va)
    do_munmap(vm, mm, va, 2 * PAGE)
    step('munmap of both')
  },
  ({ mm, mmap, step }) => {
    step('mmap of too much', mmap(mm, PAGES + 1))
  },
  ({ vm, mm, mmap, step }) => {
    const va = mmap(mm, PAGES)
    step('mmap of all', va)
    do_munmap(vm, mm, va + 2 * PAGE, PAGE)
    step('munmap of the middle page')
    do_munmap(vm, mm, va, 2 * PAGE)
    step('munmap of what is below')
    do_munmap(vm, mm, va + 3 * PAGE, 2 * PAGE)
    step('munmap of what is above')
  },
  ({ vm, mm, mmap, step }) => {
    step('mmap of all', mmap(mm, PAGES))
    const child = dup_mm(vm, mm) as MmStruct
    step('fork')
    exit_mmap(vm, mm)
    step('exit of the parent')
    exit_mmap(vm, child)
    step('exit of the child')
  },
  ({ vm, mm, mmap, step }) => {
    const first = mmap(mm, 1)
    step('mmap of one page', first)
    step('mmap of three more', mmap(mm, 3))
    do_munmap(vm, mm, first, PAGE)
    step('munmap of the first')
    exit_mmap(vm, mm)
    step('exit')
  },
  ({ vm, mm, mmap, step }) => {
    const va = mmap(mm, 3)
    step('mmap of three pages', va)
    mremap(vm, mm, va + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, va - 16 * PAGE)
    step('mremap of the second page to another address')
    exit_mmap(vm, mm)
    step('exit')
  },
]
// #endregion the oracle

// #region known mistakes
type Slip = 'mmap' | 'open' | 'close' | 'failure' | 'pages' | 'flag' | 'errno'

function driverWith(slip: Slip): Driver {
  let count = 0
  const weight = (vma: Vma): number => (slip === 'pages' ? (vma.vm_end - vma.vm_start) / PAGE : 1)
  const add = (vma: Vma): void => void (count = slip === 'flag' ? 1 : count + weight(vma))
  const vm_ops: VmOps = {
    open: (_vm, vma) => (slip === 'open' ? undefined : add(vma)),
    close: (_vm, vma) => {
      if (slip !== 'close') count = slip === 'flag' ? 0 : count - weight(vma)
    },
  }
  return {
    mmap(vma, map) {
      const rc = map()
      if (rc !== 0 && slip !== 'failure') return slip === 'errno' ? 0 : rc
      vma.vm_ops = vm_ops
      if (slip !== 'mmap') add(vma)
      return rc
    },
    free: () => (count > 0 ? -EBUSY : 0),
  }
}

const MISTAKES: readonly { rule: string; text: string; slip: Slip }[] = [
  {
    rule: 'ex-mmap-not-counted',
    text: 'the first mapping is not counted: mmap itself is the news of it, open is not called',
    slip: 'mmap',
  },
  {
    rule: 'ex-open-not-counted',
    text: 'VMAs that come from a cut or a fork are not counted, and each of them ends with a close',
    slip: 'open',
  },
  {
    rule: 'ex-close-not-counted',
    text: 'a VMA that ends is still counted, so the buffer can never be freed again',
    slip: 'close',
  },
  {
    rule: 'ex-failure-counted',
    text: 'an mmap that failed is counted; there is no VMA then, and nobody will close it',
    slip: 'failure',
  },
  {
    rule: 'ex-counted-in-pages',
    text: 'pages are counted; nobody tells the driver that a VMA has become shorter',
    slip: 'pages',
  },
  {
    rule: 'ex-flag-for-count',
    text: 'the first VMA that ends clears the mark for all the others',
    slip: 'flag',
  },
  {
    rule: 'ex-errno-swallowed',
    text: 'a program that asks for too much is told 0, and has an address with nothing behind it',
    slip: 'errno',
  },
]
// #endregion known mistakes

function diagnose(steps: readonly Step[], wrong: readonly Step[]): Finding {
  const evidence = wrong.slice(0, 3).map(({ what, vmas, said, got }) => {
    const gave = what.startsWith('mmap') && got < 0 ? `, mmap ${got}` : ''
    return `${what}: ${vmas} VMA${vmas === 1 ? '' : 's'}${gave}, free() says ${said}`
  })
  const answers = (of: readonly Step[]): string => of.map(({ said, got }) => `${said} ${Math.min(got, 0)}`).join()
  if (steps.every(({ said }) => said === 0)) {
    return finding('ex-never-busy', 'free() says 0 whatever is mapped', evidence)
  }
  const found = MISTAKES.find(({ slip }) => answers(stepsWith(() => driverWith(slip))) === answers(steps))
  if (found) return finding(found.rule, found.text, evidence)
  return finding('ex-other-count', `${wrong.length} of ${steps.length} answers do not fit the VMAs`, evidence)
}
