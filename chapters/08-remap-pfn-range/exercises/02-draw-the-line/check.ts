// SPDX-License-Identifier: MIT
//
// Puts the reader's mmapBuffer() into a driver on the model of a 32-bit machine, maps, and looks at the page table.
import { PAGE_SHARED, pgprot_writecombine } from 'contiguous/arch/pgtable_prot'
import { dma_alloc_wc } from 'contiguous/dma/mapping'
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { startSystem, type System } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { remap_pfn_range } from 'contiguous/mm/memory_remap'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE, VM_MAYSHARE } from 'contiguous/mm/mmap_flags'
import { createProcess } from 'contiguous/mm/mm_struct'
import { pagemap } from 'contiguous/mm/smaps'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const FILE = 'draw_the_line.ts'
const BOUNDS = 'Where the check belongs'
const ASKS = 'A call that asks nothing'
const PAGE = 4096
const COUNT = 3
const EINVAL = -22
const ENXIO = -6

interface Vma {
  readonly vm_start: number
  readonly vm_end: number
  readonly vm_pgoff: number
  readonly vm_page_prot: bigint
  readonly mayShare: boolean
}
type Remap = (vma: Vma, addr: number, pfn: number, size: number, prot: bigint) => number
type MmapBuffer = (vma: Vma, buffer: { pfn: number; size: number }, remap: Remap) => unknown

/** An mmap(2) of the program. */
interface Case {
  readonly pages: number
  readonly pgoff: number
  readonly prot: number
  readonly flags: number
}
const RW = PROT_READ | PROT_WRITE
const shared = (pages: number, pgoff: number, prot = RW): Case => ({ pages, pgoff, prot, flags: MAP_SHARED })
const INSIDE = [shared(3, 0), shared(2, 1), shared(1, 2), shared(1, 0)]
const LONG = [shared(4, 0), shared(2, 2)]
const BEHIND = [shared(1, 3), shared(1, 4), shared(2, 5000)]
const WRAPS = [shared(1, 0x100000), shared(1, 0x100001)]
const PRIVATE: Case[] = [0, 1].map((pgoff) => ({ pages: COUNT - pgoff, pgoff, prot: RW, flags: MAP_PRIVATE }))
const READ_ONLY = [shared(3, 0, PROT_READ)]

/** What came of it. */
interface Seen {
  readonly asked: Case
  /** What mmapBuffer() returned. */
  readonly rc: unknown
  /** Pages of the buffer, by number, in the mapping from its first page on; null for a page of somebody else. */
  readonly pages: readonly number[]
  /** What it called remap_pfn_range() with beyond the mapping. */
  readonly beyond: boolean
  readonly called: boolean
  readonly prot: boolean
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const mmapBuffer = context.kind === 'typescript' ? context.module['mmapBuffer'] : undefined
  if (typeof mmapBuffer !== 'function')
    return { findings: [finding('ex-export-missing', 'mmapBuffer is not an exported function', [], BOUNDS)] }
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
	memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x10000000>; }; };`,
    'board.dts',
  )
  const system = startSystem({ tree: tree!, kernel: '4.12.4', arch: 'arm', cmdline: 'cma=16M' })
  const buffer = dma_alloc_wc(system.dma, createDevice('camera', null), COUNT * PAGE, GFP_KERNEL)!
  const pfn = buffer.dma_handle / PAGE
  const see = (asked: Case) => watch(system, pfn, asked, mmapBuffer as MmapBuffer)
  const wrong = judge(see)
  if (wrong) return { findings: [wrong] }
  return { findings: [], shown: [...INSIDE, ...BEHIND, ...WRAPS].map((asked) => told(see(asked))) }
}

function finding(rule: string, text: string, evidence: readonly string[], read: string): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read }
}

function watch({ vm }: System, first: number, asked: Case, mmapBuffer: MmapBuffer): Seen {
  const mm = createProcess(vm, 'viewer')
  let seen: Seen = { asked, rc: undefined, pages: [], beyond: false, called: false, prot: true }
  const mmap = createDeviceNode('/dev/frame', {
    mmap: (_vm, _file, vma) => {
      vma.vm_page_prot = pgprot_writecombine('arm', vma.vm_page_prot)
      const { vm_start, vm_end, vm_pgoff, vm_page_prot } = vma
      const plain = { vm_start, vm_end, vm_pgoff, vm_page_prot, mayShare: (vma.vm_flags & VM_MAYSHARE) !== 0 }
      const remap: Remap = (_vma, addr, pfn, size, prot) => {
        const beyond = addr < vm_start || addr + size > vm_end
        const pages = Array.from({ length: Math.ceil(size / PAGE) }, (_, i) => pfn + i - first)
        seen = { ...seen, called: true, beyond, pages, prot: prot === vm_page_prot }
        return beyond || size <= 0 ? 0 : remap_pfn_range(vm, vma, addr, pfn, size, prot)
      }
      const rc = mmapBuffer(Object.freeze(plain), Object.freeze({ pfn: first, size: COUNT * PAGE }), remap)
      seen = { ...seen, rc }
      return typeof rc === 'number' ? rc : EINVAL
    },
  })
  const { pages, pgoff, prot, flags } = asked
  do_mmap(vm, mm, { len: pages * PAGE, prot, flags, file: openFile(vm, mmap), pgoff })
  if (seen.called && !seen.beyond && seen.rc === 0) {
    const table = pagemap(vm, mm).map((entry) => entry.pfn! - first)
    seen = { ...seen, pages: table }
  }
  return seen
}

const nameOf = ({ pages, pgoff, flags, prot }: Case): string =>
  `${pages} ${pages === 1 ? 'page' : 'pages'} at ${pgoff}${flags === MAP_PRIVATE ? ', private' : ''}${prot === PROT_READ ? ', for reading' : ''}`

const told = ({ asked, rc, called, pages }: Seen): string =>
  `${nameOf(asked)}: ${String(rc)}${called ? `, pages ${pages.join(', ')} of the buffer` : ''}`

const mapped = ({ rc, called }: Seen): boolean => rc === 0 || called
const right = ({ asked, rc, pages, beyond }: Seen): boolean =>
  rc === 0 && !beyond && pages.length === asked.pages && pages.every((page, i) => page === asked.pgoff + i)

function judge(see: (asked: Case) => Seen): Finding | null {
  return judgeBounds(see) ?? judgeInside(see) ?? judgeKind(see)
}

function judgeBounds(see: (asked: Case) => Seen): Finding | null {
  const long = LONG.map(see).filter(mapped)
  const behind = BEHIND.map(see).filter(mapped)
  const wraps = WRAPS.map(see).filter(mapped)
  if (long.length === LONG.length && behind.length === BEHIND.length) {
    const text = 'whatever is asked for is mapped, all memory of the machine'
    return finding('ex-no-bounds', text, [...long, ...behind].map(told), BOUNDS)
  }
  if (behind.length > 0) {
    const text = 'a mapping that begins behind the buffer succeeds: the offset is compared with nothing'
    return finding('ex-offset-unchecked', text, behind.map(told), BOUNDS)
  }
  if (long.length > 0) {
    const text = 'a mapping that begins in the buffer and ends behind it succeeds'
    return finding('ex-length-unchecked', text, long.map(told), BOUNDS)
  }
  if (wraps.length > 0) {
    const text = 'an offset of 4 GiB is byte 0 on this machine, and passes; the pfn that is mapped has not wrapped'
    return finding('ex-offset-wraps', text, wraps.map(told), BOUNDS)
  }
  const other = [...LONG, ...BEHIND, ...WRAPS].map(see).find(({ rc }) => rc !== ENXIO)
  if (!other) return null
  const text = 'pages that the buffer does not have are -ENXIO, -6; with another errno the program looks elsewhere'
  return finding('ex-other-errno', text, [told(other)], BOUNDS)
}

function judgeInside(see: (asked: Case) => Seen): Finding | null {
  const inside = INSIDE.map(see)
  const beyond = inside.filter((each) => each.beyond)
  if (beyond.length > 0) {
    const text = 'remap_pfn_range() is told to map more than the VMA has, and would do it'
    return finding('ex-past-the-vma', text, beyond.map(told), ASKS)
  }
  const refused = inside.filter(({ rc }) => rc !== 0)
  if (refused.length > 0) {
    const text = 'pages that the buffer has are refused; its last page is one of them'
    return finding('ex-one-page-short', text, refused.map(told), BOUNDS)
  }
  const others = inside.filter((each) => !right(each))
  if (others.length === 0) return null
  const rule = others.every(({ pages }) => pages[0] === 0) ? 'ex-offset-not-added' : 'ex-other-pages'
  return finding(rule, 'the program sees other pages than those it asked for', others.map(told), BOUNDS)
}

function judgeKind(see: (asked: Case) => Seen): Finding | null {
  const prots = [...INSIDE, ...READ_ONLY].map(see).filter(({ prot }) => !prot)
  if (prots.length > 0) {
    const shown = `PAGE_SHARED is 0x${PAGE_SHARED('arm').toString(16)}: cached, and writable for whoever asked to read`
    const text = 'the protection is not the one that the VMA has: rights and memory type are lost'
    return finding('ex-protection-ignored', text, [shown, ...prots.map(told)], ASKS)
  }
  const copied = PRIVATE.map(see).filter(({ rc, called }) => rc !== EINVAL || called)
  if (copied.length === 0) return null
  const text = 'a private mapping has to be -EINVAL: its pages become copies at the first store'
  return finding('ex-private-copied', text, copied.map(told), ASKS)
}
