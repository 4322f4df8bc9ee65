// SPDX-License-Identifier: MIT
//
// Steps that take ranges out of CMA areas: cma_alloc, cma_release, and `busy` for what cannot be staged.
//
//     - cma_alloc: { area: reserved, count: 256, align: 8 }
//         gives: { bit: 256, tries: 1, starts: [256] }
//
// `starts` are the bits of the candidates in order, `errno` is what the last attempt came to: 0, -12 also when there was
// no candidate. Kernels without cma_alloc() (3.x) search with dma_alloc_from_contiguous().

// #region scenario-cma-imports
import { EBUSY, EINTR, ENOMEM } from '../lib/errno.ts'
import { cma_alloc, cma_release } from '../mm/cma.ts'
import { alloc_contig_range, type ContigRange } from '../mm/contig_range.ts'
import { bury, Fault, held, heldAny, type Doers, type Run } from './scenario_context.ts'
import { areaNamed } from './scenario_steps_pages.ts'
// #endregion scenario-cma-imports

// #region scenario-cma-range
const ERRNO = { EBUSY, ENOMEM, EINTR } as const

// Notes each attempt; ends it as `busy` wants, or lets the kernel do it.
function watched(run: Run): ContigRange {
  return (vm, start, end, migratetype, gfp) => {
    const wanted = run.busy.shift()
    const ret = wanted ?? alloc_contig_range(vm, start, end, migratetype, gfp)
    run.attempts.push({ pfn: start, ret })
    return ret
  }
}
// #endregion scenario-cma-range

// #region scenario-cma-doers
export const cmaDoers: Doers<'cma_alloc' | 'cma_release' | 'busy'> = {
  cma_alloc: (run, { area: name, count, align, no_warn }) => {
    const area = areaNamed(run, name)
    const pfn = cma_alloc(run.system.vm, area, count, align, no_warn, watched(run))
    const bitOf = (page: number) => (page - area.base_pfn) / 2 ** area.order_per_bit
    const { attempts } = run
    const tried = { tries: attempts.length, starts: attempts.map((each) => bitOf(each.pfn)) }
    if (pfn === null) {
      const errno = attempts.at(-1)?.ret ?? -ENOMEM
      return { fields: { pfn: null, bit: null, ...tried, errno } }
    }
    const fields = { pfn, bit: bitOf(pfn), ...tried, errno: 0 }
    return { fields, made: { area, pfn, count } }
  },
  cma_release: (run, { range, count }) => {
    const { area, pfn, count: all } = held(run, range, 'range')
    const pages = count ?? all
    if (pages < 1 || pages > all) {
      const text = `cma_release: got ${pages} pages of ${range}, expected 1 to ${all}`
      throw new Fault({ rule: 'scenario-outside', key: 'count', text })
    }
    const released = cma_release(run.system.vm, area, pfn, pages)
    if (pages === all) bury(run, range)
    // A part, from the front: the rest is what the name means from now on.
    else if (released) {
      const rest = { area, pfn: pfn + pages, count: all - pages }
      run.results.set(range, { ...heldAny(run, range), what: rest })
    }
    return { fields: { released } }
  },
  busy: (run, { times, errno }) => {
    for (let i = 0; i < times; i++) run.busy.push(-ERRNO[errno])
    return {}
  },
}
// #endregion scenario-cma-doers
