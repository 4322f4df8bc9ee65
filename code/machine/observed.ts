// SPDX-License-Identifier: MIT
//
// Reads what a real kernel (6.1, 6.12; arm64, and 6.12 on arm) says of its own boot, so that the model can be held against it.
//
//     console, with memblock=debug ─┬─ observeBoot()   what the kernel took for itself: inputs of bootMachine()
//     /proc/kallsyms, read as root ─┘
//     console ────── answerableLines()                 lines that the model must produce
//     /proc/iomem ── ramPart()                         RAM and reserved memory, without devices
//
// The line of a memblock call names its caller. Calls by the reserved-memory code, by CMA and for the kernel image, the
// initrd and the DTB are the model's to make; all others are inputs. The console must be read from the first line
// (earlycon): page tables alone overrun the log buffer, so dmesg has lost the beginning. On arm an early console does not
// outlive the making of page tables, and a large log buffer (log_buf_len=4M) holds everything.

// #region observed-imports
import { Complaint } from '../lib/complaint.ts'
import { kernelAtLeast, type Arch, type KernelVersion } from '../lib/kernel_version.ts'
import { KiB, type PhysAddr } from '../lib/units.ts'
import type { OwnEvent, OwnEvents, Range } from './boot.ts'
import type { KernelImage } from './iomem.ts'
// #endregion observed-imports

// #region observed-lines
/** The kernel's lines on a console: without carriage returns and time stamps. Other output stays as it is. */
export function kernelLines(console: string): string[] {
  return console.split('\n').map((line) => line.replace(/\r/g, '').replace(/^\[ *\d+\.\d+\] /, ''))
}

const ANSWERABLE = /^(OF: fdt: Reserved memory|OF: reserved mem|Reserved memory:|cma:)/
const MEMBER = / \(0x[0-9a-f]+--0x[0-9a-f]+\) overlaps with /

/** The lines of a log that the model is answerable for, in order. */
export function answerableLines(lines: readonly string[]): string[] {
  return lines.filter((line) => ANSWERABLE.test(line) || MEMBER.test(line))
}

/** Of /proc/iomem, the top-level `System RAM` and `reserved` entries with all that stands below them. */
export function ramPart(iomem: string): string[] {
  let wanted = false
  return iomem
    .replace(/\r/g, '')
    .split('\n')
    .filter((line) => {
      if (/^[0-9a-f]/.test(line)) wanted = / : (System RAM|reserved)$/.test(line)
      return wanted && line !== ''
    })
}
// #endregion observed-lines

// #region observed-types
/** What a boot tells about itself: give all of it to bootMachine(). */
export interface ObservedBoot {
  readonly own: OwnEvents
  readonly image: KernelImage
  readonly dtbAt: Range
}

interface Call {
  readonly op: 'reserve' | 'free'
  readonly range: Range
  readonly caller: string
}
// #endregion observed-types

// #region observed-calls
// Who asked: a reservation made by an allocation is told under the name of the allocating function, and the line before
// names who called that. CMA calls a level deeper, where no such line is printed: it speaks up afterwards.
const ASKED = /^memblock_\w*alloc\w*: .* (\w+)(?:\.\w+)*\+0x/
const DONE = /^memblock_(reserve|phys_free): \[0x([0-9a-f]+)-0x([0-9a-f]+)\] (\w+)(?:\.\w+)*\+0x/

function readCalls(lines: readonly string[]): Call[] {
  const calls: Call[] = []
  let asker: string | null = null
  for (const [i, line] of lines.entries()) {
    const asked = ASKED.exec(line)
    if (asked) asker = asked[1]!
    const done = DONE.exec(line)
    if (!done) continue
    const [, verb, first, last, direct] = done
    const base = parseInt(first!, 16)
    const size = parseInt(last!, 16) + 1 - base
    const unnamed = lines[i + 1]?.startsWith('cma: Reserved') ? 'cma_declare_contiguous_nid' : direct!
    const caller = direct === 'memblock_alloc_range_nid' ? (asker ?? unnamed) : direct!
    calls.push({ op: verb === 'reserve' ? 'reserve' : 'free', range: { base, size }, caller })
    if (verb === 'reserve') asker = null
  }
  return calls
}
// #endregion observed-calls

// #region observed-stages
// Functions whose reservations the model makes itself.
const MODELLED =
  /^(cma_declare_contiguous|arm(64)?_memblock_init|reserve_initrd_mem|setup_machine_fdt|early_init_fdt_scan_reserved_mem|early_init_dt_(reserve_memory|alloc_reserved_memory_arch)|fdt_\w*reserved_mem|__reserved_mem_|alloc_reserved_mem_array)/

const UNFLATTENS =
  /No reserved-memory node in the DT$|fdt_scan_reserved_mem_reg_nodes|early_init_dt_alloc_memory_arch/
const CMA_IS_DONE = /^MEMBLOCK configuration:/
const PAGE_ALLOCATOR_STARTS = /^Memory: \d+K\/\d+K available/

// The lines of one stage, from the first that matches `from` up to the first that matches `to`.
function stage(lines: readonly string[], from: RegExp | null, to: RegExp): OwnEvent[] {
  const start = from ? lines.findIndex((line) => from.test(line)) : 0
  const length = lines.slice(start).findIndex((line) => to.test(line))
  if (start < 0 || length < 0) {
    throw new Complaint({
      text: `observeBoot: the console has no line like ${String(start < 0 ? from : to)}`,
      next: ['Boot with: earlycon memblock=debug nokaslr, and without quiet.'],
    })
  }
  return readCalls(lines.slice(start, start + length))
    .filter(({ caller }) => !MODELLED.test(caller))
    .map(({ op, range }) => ({ op, ...range }))
}
// #endregion observed-stages

// #region observed-own
function ownOfArm64(lines: readonly string[]): OwnEvents {
  return {
    paging: stage(lines, null, UNFLATTENS),
    unflatten: stage(lines, UNFLATTENS, CMA_IS_DONE),
    late: stage(lines, CMA_IS_DONE, PAGE_ALLOCATOR_STARTS),
  }
}

// CMA comes first, and the tree is unflattened after the page tables stand. Of what arm_memblock_init() reserves the image
// is first; then come the first page table and, inlined into it, what the board asks for.
function ownOfArm(lines: readonly string[]): OwnEvents {
  const early = readCalls(lines).filter(({ caller }) => caller === 'arm_memblock_init')
  return {
    platform: early.slice(1).map(({ op, range }) => ({ op, ...range })),
    paging: stage(lines, CMA_IS_DONE, UNFLATTENS),
    unflatten: stage(lines, UNFLATTENS, PAGE_ALLOCATOR_STARTS),
  }
}
// #endregion observed-own

// #region observed-boot
/**
 * The kernel's own reservations, its image and its DTB, from a whole `console` log (see above for how to boot) and the
 * text of /proc/kallsyms read as root; `_text`, `_stext` and `__init_begin` are enough of it. `dtbSize` is the length of
 * /sys/firmware/fdt in bytes. Throws a Complaint when something needed is missing.
 * @omits what the kernel reserves before it reads its command line, except the DTB
 */
export function observeBoot(observed: {
  console: string
  kallsyms: string
  dtbSize: number
  kernel: KernelVersion
  arch?: Arch
}): ObservedBoot {
  const { kallsyms, dtbSize, kernel, arch = 'arm64' } = observed
  const lines = kernelLines(observed.console)
  const own = arch === 'arm' ? ownOfArm(lines) : ownOfArm64(lines)
  const image = findImage(lines, kallsyms, kernel, arch)
  return { own, image, dtbAt: findDtb(lines, dtbSize) }
}
// #endregion observed-boot

// #region observed-image
/** Where the text of 6.1 begins behind `_text`. @kernel arch/arm64/kernel/vmlinux.lds.S SEGMENT_ALIGN v6.1 */
const SEGMENT_ALIGN = KiB(64)

// The last range that arm64_memblock_init() reserves is the image, from its first counted symbol to _end. Between the two
// Debian's symbol list has functions only; where data begins follows from the size of the init part in the Memory: line.
function findImage(
  lines: readonly string[],
  kallsyms: string,
  kernel: KernelVersion,
  arch: Arch,
): KernelImage {
  const calls = readCalls(lines)
  const image =
    arch === 'arm'
      ? calls.find(({ caller }) => caller === 'arm_memblock_init')
      : calls.findLast(({ caller }) => caller === 'arm64_memblock_init')
  const init = lines.map((line) => /^Memory: .* (\d+)K init,/.exec(line)?.[1]).find(Boolean)
  if (!image || !init) {
    throw new Complaint({
      text: `observeBoot: the console has no ${image ? 'Memory:' : 'memblock_reserve'} line for the kernel image`,
      next: ['Boot with: earlycon memblock=debug nokaslr, and without quiet.'],
    })
  }
  const { base, size } = image.range
  const anchor = arch === 'arm64' && kernelAtLeast(kernel, '6.12.117') ? '_text' : '_stext'
  const place = (name: string): PhysAddr => base + Number(symbol(kallsyms, name) - symbol(kallsyms, anchor))
  const _stext = place('_stext')
  const __init_begin = place('__init_begin')
  const _text: PhysAddr = arch === 'arm' ? place('_text') : anchor === '_text' ? base : _stext - SEGMENT_ALIGN
  return { _text, _stext, __init_begin, _sdata: __init_begin + KiB(Number(init)), _end: base + size }
}
// #endregion observed-image

// #region observed-symbol
function symbol(kallsyms: string, name: string): bigint {
  const match = new RegExp(`^([0-9a-f]+) \\w ${name}\r?$`, 'm').exec(kallsyms)
  if (match && BigInt(`0x${match[1]!}`) > 0n) return BigInt(`0x${match[1]!}`)
  throw new Complaint({
    text: `observeBoot: the symbol list has no address of ${name}`,
    next: ['Read /proc/kallsyms as root: others see zeros.'],
  })
}
// #endregion observed-symbol

// #region observed-dtb
// The DTB is reserved before memblock=debug is known, so no line tells. The dump shows a range of its length, or one that
// ends with it, joined to the initrd before it.
function findDtb(lines: readonly string[], dtbSize: number): Range {
  const ends = readCalls(lines).map(({ range }) => range.base + range.size)
  for (const line of lines) {
    const match = /^ reserved\[0x[0-9a-f]+\]\t\[0x([0-9a-f]+)-0x([0-9a-f]+)\]/.exec(line)
    if (!match) continue
    const base: PhysAddr = parseInt(match[2]!, 16) + 1 - dtbSize
    if (parseInt(match[1]!, 16) === base || ends.includes(base)) return { base, size: dtbSize }
  }
  throw new Complaint({
    text: `observeBoot: no reserved range of the DTB's ${dtbSize} bytes in the memblock dump`,
    next: [
      'Is dtbSize the length of /sys/firmware/fdt of this boot, and memblock=debug on its command line?',
    ],
  })
}
// #endregion observed-dtb
