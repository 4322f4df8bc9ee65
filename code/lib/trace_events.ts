// SPDX-License-Identifier: MIT
//
// What each trace event prints, kernel by kernel. A format is the kernel's own line with the field's name and the way it
// is printed in braces:
//
//     pfn=0x{pfn:x} page={page:p} count={count:u}       pfn=0x50100 page=0000000001f28bc1 count=1024
//
// Fields have the names that stand before their values in the line; what has none there has the name it has in the
// event's `format` file. What a kernel lacks it does not print: 6.1 has no dma events at all, and 4.12 one for a whole
// cma_alloc(). Left out: events of other parts of Linux, and trace_printk().

// #region trace-events-head
import { type KernelVersion, kernelAtLeast } from './kernel_version.ts'

/**
 * How a field is printed: `d` and `u` decimal, `x` hexadecimal without 0x, `s` a string, `p` a pointer (which the kernel
 * hashes), `array` as `{0x1,0x2}`, `dir`, `attrs`, `gfp` and `force` by name; `derived` is made of the other fields.
 */
export type TraceConversion =
  'd' | 'u' | 'x' | 's' | 'p' | 'array' | 'dir' | 'attrs' | 'gfp' | 'force' | 'derived'

/** One event as some kernels print it. */
export interface TraceEventFormat {
  readonly event: string
  /** Its folder under /sys/kernel/tracing/events. */
  readonly system: string
  /** The oldest kernel of the models that prints it like this. */
  readonly since: KernelVersion
  /** The first one that does not any more. */
  readonly until?: KernelVersion
  readonly print: string
}

type Row = [event: string, since: KernelVersion, until: KernelVersion | null, print: string]

const formats = (system: string, rows: Row[]): TraceEventFormat[] =>
  rows.map(([event, since, until, print]) => ({ event, system, since, ...(until && { until }), print }))
// #endregion trace-events-head

// #region trace-events-cma
const area = 'name={name:s} pfn=0x{pfn:x} page={page:p} count={count:u}'
const unnamed = 'pfn={pfn:x} page={page:p} count={count:u}'

const cma = formats('cma', [
  // One event, when it is over, and no name.
  ['cma_alloc', '4.6', '6.1.192', `${unnamed} align={align:u}`],
  ['cma_release', '4.6', '6.1.192', unnamed],
  ['cma_alloc_start', '6.1.192', null, 'name={name:s} count={count:u} align={align:u}'],
  ['cma_alloc_busy_retry', '6.1.192', null, `${area} align={align:u}`],
  ['cma_alloc_finish', '6.1.192', '6.12.117', `${area} align={align:u}`],
  ['cma_alloc_finish', '6.12.117', null, `${area} align={align:u} errorno={errorno:d}`],
  ['cma_release', '6.1.192', null, area],
])
// #endregion trace-events-cma

// #region trace-events-migrate
const moved = 'nr_succeeded={nr_succeeded:u} nr_failed={nr_failed:u}'
const thp =
  'nr_thp_succeeded={nr_thp_succeeded:u} nr_thp_failed={nr_thp_failed:u} nr_thp_split={nr_thp_split:u}'
const why = 'mode={mode:s} reason={reason:s}'

const migrate = formats('migrate', [
  ['mm_migrate_pages', '3.9', '6.1.192', `${moved} ${why}`],
  ['mm_migrate_pages', '6.1.192', '6.12.117', `${moved} ${thp} ${why}`],
  ['mm_migrate_pages', '6.12.117', null, `${moved} ${thp} nr_split={nr_split:u} ${why}`],
  ['mm_migrate_pages_start', '6.1.192', null, why],
])
// #endregion trace-events-migrate

// #region trace-events-compaction
const scanned = 'nr_scanned={nr_scanned:u} nr_taken={nr_taken:u}'
const isolated = `range=(0x{start_pfn:x} ~ 0x{end_pfn:x}) ${scanned}`

const compaction = formats('compaction', [
  ['mm_compaction_isolate_migratepages', '3.5', '4.6', scanned],
  ['mm_compaction_isolate_freepages', '3.5', '4.6', scanned],
  ['mm_compaction_isolate_migratepages', '4.6', null, isolated],
  ['mm_compaction_isolate_freepages', '4.6', null, isolated],
])
// #endregion trace-events-compaction

// #region trace-events-range
const tested = 'start_pfn=0x{start_pfn:x} end_pfn=0x{end_pfn:x} fin_pfn=0x{fin_pfn:x} ret={ret:derived}'
const range =
  'start=0x{start:x} end=0x{end:x} migratetype={migratetype:d} ' +
  'nr_migrated={nr_migrated:u} nr_reclaimed={nr_reclaimed:u} nr_mapped={nr_mapped:u}'

const pageIsolation = formats('page_isolation', [['test_pages_isolated', '4.6', null, tested]])
// The caller in 6.12.117 hands its last four over in another order: `nr_migrated` holds the migratetype, `nr_reclaimed`
// what was migrated, `nr_mapped` what was reclaimed, `migratetype` what was mapped.
const contigRange = formats('kmem', [['mm_alloc_contig_migrate_range_info', '6.12.117', null, range]])
// #endregion trace-events-range

// #region trace-events-kmem
const pfn4 = 'page={page:p} pfn={pfn:u}'
const pfn6 = 'page={page:p} pfn=0x{pfn:x}'
const allocated = 'order={order:d} migratetype={migratetype:d} gfp_flags={gfp_flags:gfp}'
const stolen =
  'alloc_order={alloc_order:d} fallback_order={fallback_order:d} pageblock_order={pageblock_order:d} ' +
  'alloc_migratetype={alloc_migratetype:d} fallback_migratetype={fallback_migratetype:d} ' +
  'fragmenting={fragmenting:derived} change_ownership={change_ownership:d}'

const kmem = formats('kmem', [
  ['mm_page_alloc', '3.5', '6.1.192', `${pfn4} ${allocated}`],
  ['mm_page_alloc', '6.1.192', null, `${pfn6} ${allocated}`],
  ['mm_page_free', '3.5', '6.1.192', `${pfn4} order={order:d}`],
  ['mm_page_free', '6.1.192', null, `${pfn6} order={order:d}`],
  ['mm_page_alloc_extfrag', '3.5', '6.1.192', `${pfn4} ${stolen}`],
  ['mm_page_alloc_extfrag', '6.1.192', null, `${pfn6} ${stolen}`],
])
// #endregion trace-events-kmem

// #region trace-events-dma
const handle = '{device:s} dir={dir:dir} dma_addr={dma_addr:x} size={size:u}'
const virtual = `${handle} virt_addr={virt_addr:p}`

const dma = formats('dma', [
  ['dma_alloc', '6.12.117', null, `${virtual} flags={flags:gfp} attrs={attrs:attrs}`],
  ['dma_free', '6.12.117', null, `${virtual} attrs={attrs:attrs}`],
  ['dma_map_page', '6.12.117', null, `${handle} phys_addr={phys_addr:x} attrs={attrs:attrs}`],
  ['dma_unmap_page', '6.12.117', null, `${handle} attrs={attrs:attrs}`],
  ['dma_sync_single_for_cpu', '6.12.117', null, handle],
  ['dma_sync_single_for_device', '6.12.117', null, handle],
])

const device = '{device:s} dir={dir:dir}'
const list = 'dma_addrs={dma_addrs:array} sizes={sizes:array}'
const pages = 'phys_addrs={phys_addrs:array} attrs={attrs:attrs}'
// A list shows its first 128 entries; how many it shows, and of how many.
const lengths = 'nents={shown_nents:derived}/{nents:d} ents={shown_ents:derived}/{ents:d}{truncated:derived}'
const bounced =
  'dev_name: {dev_name:s} dma_mask={dma_mask:x} dev_addr={dev_addr:x} size={size:u} {force:force}'

const dmaLists = formats('dma', [
  ['dma_map_sg', '6.12.117', null, `${device} ${lengths} ${list} ${pages}`],
  ['dma_unmap_sg', '6.12.117', null, `${device} ${pages}`],
  ['dma_sync_sg_for_cpu', '6.12.117', null, `${device} ${list}`],
  ['dma_sync_sg_for_device', '6.12.117', null, `${device} ${list}`],
])
const swiotlb = formats('swiotlb', [['swiotlb_bounced', '4.6', null, bounced]])
// #endregion trace-events-dma

// #region trace-events-lookup
/** Every event the models know, with every way some kernel prints it. */
export const TRACE_EVENTS: readonly TraceEventFormat[] = [
  [cma, migrate, compaction, pageIsolation, contigRange, kmem, dma, dmaLists, swiotlb],
].flat(2)

/** How `kernel` prints `event`; undefined when it has no such event. */
export function traceEventFormat(event: string, kernel: KernelVersion): TraceEventFormat | undefined {
  return (byEvent.get(event) ?? []).find((format) => printsLike(format, kernel))
}

/** Whether `format` is that of `kernel`. */
export function printsLike({ since, until }: TraceEventFormat, kernel: KernelVersion): boolean {
  return kernelAtLeast(kernel, since) && !(until !== undefined && kernelAtLeast(kernel, until))
}

/** The formats of an event, oldest kernel first; none when no kernel of the models has it. */
export function traceEventFormats(event: string): readonly TraceEventFormat[] {
  return byEvent.get(event) ?? []
}

const byEvent = new Map<string, TraceEventFormat[]>()
for (const format of TRACE_EVENTS) byEvent.set(format.event, [...(byEvent.get(format.event) ?? []), format])
// #endregion trace-events-lookup
