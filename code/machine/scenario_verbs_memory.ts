// SPDX-License-Identifier: MIT
//
// The verbs of memory: pages of the allocator, programs and their addresses, files, CMA areas.

// #region scenario-verbs-memory
import { z } from 'zod'
import { GFP_KERNEL } from '../mm/gfp.ts'
import { GiB } from '../lib/units.ts'
import { countValue, nameValue, sizeValue } from './scenario_values.ts'
import { gfp, page, verb } from './scenario_verb.ts'

export const pageVerbs = {
  /** 2^order pages from the buddy allocator. */
  alloc_pages: verb({
    args: z.strictObject({ gfp: gfp(GFP_KERNEL), order: countValue.default(0) }),
    makes: 'pages',
    gives: ['pfn', 'block'],
  }),
  /** Gives them back: an earlier result, or a pfn and an order. */
  __free_pages: verb({
    args: z.strictObject({
      pages: nameValue.optional(),
      pfn: countValue.optional(),
      order: countValue.default(0),
    }),
    refs: { pages: ['pages'] },
  }),
  /** Where a page lies now, and who has it. */
  findPage: verb({
    args: z.strictObject({ in: nameValue, page }),
    refs: { in: ['pages', 'range', 'area', 'buffer', 'file'] },
    gives: ['pfn', 'block', 'area', 'refcount', 'mapcount'],
  }),
}

export const processVerbs = {
  process: verb({
    args: z.strictObject({ comm: z.string().max(15).optional() }),
    makes: 'process',
    gives: ['pid'],
  }),
  fork: verb({
    args: z.strictObject({ process: nameValue }),
    refs: { process: ['process'] },
    makes: 'process',
    gives: ['pid'],
  }),
  exit: verb({ args: z.strictObject({ process: nameValue }), refs: { process: ['process'] } }),
  /** Anonymous memory, or a file's. Nothing is there until it is touched. */
  mmap: verb({
    args: z.strictObject({
      process: nameValue,
      size: sizeValue,
      file: nameValue.optional(),
      shared: z.boolean().default(false),
      write: z.boolean().default(true),
    }),
    refs: { process: ['process'], file: ['file'] },
    makes: 'area',
    gives: ['va', 'errno'],
  }),
}

export const addressVerbs = {
  munmap: verb({
    args: z.strictObject({ area: nameValue, from: page, pages: countValue.optional() }),
    refs: { area: ['area'] },
    gives: ['errno'],
  }),
  /** Writes a byte into each page, so that each is there. */
  touch: verb({
    args: z.strictObject({ area: nameValue, from: page, pages: countValue.optional() }),
    refs: { area: ['area'] },
    gives: ['pages', 'inCma'],
  }),
}

export const fillVerbs = {
  /**
   * A process takes anonymous pages: so many, or a fraction of what is free. With `in`, only those that lie in that CMA
   * area stay; the others it gives back.
   */
  fill: verb({
    args: z.strictObject({
      process: nameValue,
      pages: z.int().min(1).optional(),
      fraction: z.number().gt(0).max(1).optional(),
      in: z.string().optional(),
    }),
    refs: { process: ['process'] },
    makes: 'area',
    gives: ['pages', 'inCma'],
  }),
  pin_user_pages: verb({
    args: z.strictObject({
      area: nameValue,
      page,
      pages: z.int().min(1).default(1),
      /** Of how many pages one is pinned. */
      every: z.int().min(1).default(1),
      /** So many pages from `page` on, drawn by lot: the scenario's seed says which. */
      byLot: z.boolean().default(false),
      longterm: z.boolean().default(false),
    }),
    refs: { area: ['area'] },
    makes: 'pin',
    gives: ['pfn', 'pages', 'errno'],
  }),
  unpin_user_pages: verb({ args: z.strictObject({ pin: nameValue }), refs: { pin: ['pin'] } }),
}

// A page at a time comes in: what is larger would take minutes.
const fileSize = sizeValue.refine((size) => size <= GiB(1), { error: 'expected at most 1G' })

export const fileVerbs = {
  /** A file, of which nothing is in memory. */
  file: verb({
    args: z.strictObject({ size: fileSize, canMigrate: z.boolean().default(true) }),
    makes: 'file',
  }),
  /** Its pages come into the page cache, clean. */
  readFile: verb({
    args: z.strictObject({ file: nameValue, from: page, pages: countValue.optional() }),
    refs: { file: ['file'] },
    gives: ['pages', 'inCma'],
  }),
  /** Its pages are in the page cache, dirty. */
  writeFile: verb({
    args: z.strictObject({ file: nameValue, from: page, pages: countValue.optional() }),
    refs: { file: ['file'] },
    gives: ['pages', 'inCma'],
  }),
  fsync: verb({ args: z.strictObject({ file: nameValue }), refs: { file: ['file'] }, gives: ['errno'] }),
}

export const cmaVerbs = {
  /** `bit` is where in the area, `tries` how many candidates there were, `errno` what the log says. */
  cma_alloc: verb({
    args: z.strictObject({
      area: z.string(),
      count: countValue,
      align: z.int().min(0).max(30).default(0),
      no_warn: z.boolean().default(false),
    }),
    makes: 'range',
    gives: ['pfn', 'bit', 'tries', 'starts', 'errno'],
  }),
  cma_release: verb({
    args: z.strictObject({ range: nameValue, count: countValue.optional() }),
    refs: { range: ['range'] },
    gives: ['released'],
  }),
  /**
   * For what cannot be staged: the next `times` attempts to take a range of an area end with `errno`, whatever lies
   * there.
   */
  busy: verb({
    args: z.strictObject({
      times: z
        .int()
        .min(1)
        .max(2 ** 16)
        .default(1),
      errno: z.enum(['EBUSY', 'ENOMEM', 'EINTR']).default('EBUSY'),
    }),
  }),
}
// #endregion scenario-verbs-memory
