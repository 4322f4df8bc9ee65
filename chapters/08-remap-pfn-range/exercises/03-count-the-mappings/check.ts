// SPDX-License-Identifier: MIT
//
// Puts the reader's functions into a driver on the model, leads a program through its life, and counts VMAs.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { remap_pfn_range } from 'contiguous/mm/memory_remap'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { do_munmap, dup_mm, exit_mmap } from 'contiguous/mm/mmap_unmap'
import { createProcess } from 'contiguous/mm/mm_struct'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from 'contiguous/mm/mremap'
import { __alloc_pages } from 'contiguous/mm/page_alloc'
import type { MmStruct, VmOperations } from 'contiguous/mm/vm'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'count_mappings.ts'
const READ = 'Who keeps what alive'
const PAGE = 4096
const PAGES = 4
const EBUSY = -16
const EINVAL = -22

interface OpenFile {
  mappings: number
  buffer: boolean
}
interface Functions {
  readonly mmap: (file: OpenFile, map: () => number) => number
  readonly vmOpen: (file: OpenFile) => void
  readonly vmClose: (file: OpenFile) => void
  readonly free: (file: OpenFile) => number
}

/** The state after one step. */
interface Step {
  readonly name: string
  readonly real: number
  readonly counted: number
  /** What FREE would say, asked of a copy. */
  readonly free: number
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const functions = (context.kind === 'typescript' ? context.module : {}) as unknown as Functions
  const missing = (['mmap', 'vmOpen', 'vmClose', 'free'] as const).find(
    (name) => typeof functions[name] !== 'function',
  )
  if (missing) return { findings: [finding('ex-export-missing', `${missing} is not an exported function`, [])] }
  const steps = live(functions)
  const wrong = diagnose(steps, functions)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: steps.map(told) }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const told = ({ name, real, counted, free }: Step): string =>
  `${name}: ${real} mappings, ${counted} counted, FREE says ${free}`

function live(functions: Functions): Step[] {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
	memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x8000000>; }; };`,
    'board.dts',
  )
  const { vm, pgdat } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' })
  const pfn = __alloc_pages(pgdat, GFP_KERNEL, 2)!
  const state: OpenFile = { mappings: 0, buffer: true }
  const ops: VmOperations = {
    open: () => functions.vmOpen(state),
    close: () => functions.vmClose(state),
  }
  const node = createDeviceNode('/dev/frame', {
    mmap: (_vm, _file, vma) => {
      const size = vma.vm_end - vma.vm_start
      const map = (): number => {
        if (size > PAGES * PAGE) return EINVAL
        const err = remap_pfn_range(vm, vma, vma.vm_start, pfn, size, vma.vm_page_prot)
        if (err === 0) vma.vm_ops = ops
        return err
      }
      return functions.mmap(state, map)
    },
  })
  const file = openFile(vm, node)
  const mms: MmStruct[] = [createProcess(vm, 'viewer')]
  const steps: Step[] = []
  const step = (name: string): void => {
    const real = mms.flatMap(({ mmap }) => mmap).length
    steps.push({ name, real, counted: state.mappings, free: functions.free({ ...state }) })
  }
  const mm = mms[0]!
  const map = (pages: number) =>
    do_mmap(vm, mm, { len: pages * PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED, file })
  step('open')
  const at = map(PAGES)
  step('mmap of 4 pages')
  map(PAGES + 1)
  step('mmap that fails')
  do_munmap(vm, mm, at + PAGE, PAGE)
  step('munmap of the second page')
  const far = at - 64 * PAGE
  mremap(vm, mm, at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, far)
  step('mremap of the first page to another place')
  const child = dup_mm(vm, mm) as MmStruct
  mms.push(child)
  step('fork')
  mms.splice(mms.indexOf(mm), 1)
  exit_mmap(vm, mm)
  step('the parent ends')
  mms.splice(0, 1)
  exit_mmap(vm, child)
  step('the child ends')
  return steps
}

function diagnose(steps: readonly Step[], functions: Functions): Finding | null {
  const step = (name: string) => steps.find((each) => each.name.startsWith(name))!
  const evidence = steps.map(told)
  const [first, failed, cut, last] = ['mmap of', 'mmap that', 'munmap', 'the child'].map(step) as [Step, Step, Step, Step]
  const freed = functions.free({ mappings: 1, buffer: true })
  if (freed === 0) {
    const text = 'FREE succeeds while a mapping exists: the program goes on to write into memory of somebody else'
    return finding('ex-freed-under-mapping', text, evidence)
  }
  if (first.counted !== 1) {
    const text = 'after mmap() there is one mapping, and it is not counted: open is not called for it'
    return finding('ex-first-not-counted', text, evidence)
  }
  if (failed.counted !== failed.real)
    return finding('ex-failure-counted', 'an mmap() that failed is counted, and nobody will ever count it down', evidence)
  if (cut.counted < cut.real || step('fork').counted < step('fork').real) {
    const text = 'a mapping that was made from another, by a cut or a fork, is not counted'
    return finding('ex-copies-not-counted', text, evidence)
  }
  if (last.counted > last.real) {
    const text = 'mappings that are gone are still counted: FREE is refused for ever'
    return finding('ex-close-not-counted', text, evidence)
  }
  const off = steps.find(({ real, counted }) => real !== counted)
  if (off) return finding('ex-count-wrong', `the count is wrong after: ${off.name}`, evidence)
  return judgeFree(freed, functions, evidence)
}

function judgeFree(freed: number, { free }: Functions, evidence: readonly string[]): Finding | null {
  if (freed !== EBUSY) {
    const text = `while a mapping exists FREE says ${freed}: the program believes that there is no buffer`
    return finding('ex-busy-is-not-none', text, evidence)
  }
  const full: OpenFile = { mappings: 0, buffer: true }
  const said = [free(full), full.buffer, free(full)]
  if (said[0] === 0 && said[1] === false && said[2] === -2) return null
  const text = `FREE of an unmapped buffer says ${String(said[0])}, and again ${String(said[2])}; expected 0 and -2`
  return finding('ex-free-without-end', text, evidence)
}
