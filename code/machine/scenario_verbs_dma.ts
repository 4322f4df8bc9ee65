// SPDX-License-Identifier: MIT
//
// The verbs of drivers and of the hardware: devices, coherent buffers, streaming mappings, loads and stores, cache lines.

// #region scenario-verbs-dma
import { z } from 'zod'
import { GFP_KERNEL } from '../mm/gfp.ts'
import { bytesValue, countValue, directionValue, nameValue, sizeValue } from './scenario_values.ts'
import { gfp, page, verb, type Kind } from './scenario_verb.ts'

const bufferArgs = z.strictObject({ device: nameValue, size: sizeValue, gfp: gfp(GFP_KERNEL) })
const bufferVerb = verb({
  args: bufferArgs,
  refs: { device: ['device'] },
  makes: 'buffer',
  gives: ['handle', 'pfn', 'cpu', 'type', 'from'],
})

export const dmaVerbs = {
  /** A device; `node` is its path in the tree, and its first memory-region is attached to it. */
  device: verb({
    args: z.strictObject({
      /** Bits that it can drive. */
      mask: z.int().min(0).max(64).default(32),
      coherent: z.boolean().default(false),
      /** What is added to a physical address to get the device's. */
      offset: z.number().default(0),
      busLimit: z.int().min(0).default(0),
      node: z.string().optional(),
    }),
    makes: 'device',
    gives: ['errno'],
  }),
  dma_alloc_coherent: bufferVerb,
  dma_alloc_wc: bufferVerb,
  dma_free_coherent: verb({
    args: z.strictObject({ buffer: nameValue, size: sizeValue.optional() }),
    refs: { buffer: ['buffer'] },
  }),
}

export const dmaMapVerbs = {
  dma_mmap_coherent: verb({
    args: z.strictObject({
      process: nameValue,
      buffer: nameValue,
      size: sizeValue.optional(),
      pgoff: page,
    }),
    refs: { process: ['process'], buffer: ['buffer'] },
    makes: 'area',
    gives: ['errno', 'type'],
  }),
  /** The whole buffer, with `PAGE_SHARED` (seed 002), the area's own protection, or write-combined. */
  remap_pfn_range: verb({
    args: z.strictObject({
      process: nameValue,
      buffer: nameValue,
      prot: z.enum(['PAGE_SHARED', 'vm_page_prot', 'writecombine']).default('vm_page_prot'),
    }),
    refs: { process: ['process'], buffer: ['buffer'] },
    makes: 'area',
    gives: ['errno', 'type'],
  }),
}

const mapped = { offset: countValue.default(0), size: sizeValue.optional() }
const mapVerb = verb({ args: z.strictObject({ map: nameValue }), refs: { map: ['map'] } })
const syncVerb = verb({ args: z.strictObject({ map: nameValue, ...mapped }), refs: { map: ['map'] } })

export const streamingVerbs = {
  /** `bounced`: the device gets a copy in the bounce buffer. */
  dma_map_single: verb({
    args: z.strictObject({ device: nameValue, in: nameValue, ...mapped, dir: directionValue }),
    refs: { device: ['device'], in: ['pages', 'range'] },
    makes: 'map',
    gives: ['handle', 'errno', 'bounced'],
  }),
  dma_unmap_single: mapVerb,
  dma_sync_single_for_cpu: syncVerb,
  dma_sync_single_for_device: syncVerb,
}

const part = z.strictObject({ in: nameValue, ...mapped })
const sgVerb = verb({ args: z.strictObject({ map: nameValue }), refs: { map: ['sgmap'] } })

export const sgVerbs = {
  /** Several pieces at once; `handles` are what the device is told of each. */
  dma_map_sg: verb({
    args: z.strictObject({ device: nameValue, parts: z.array(part).min(1), dir: directionValue }),
    refs: { device: ['device'], 'parts.in': ['pages', 'range'] },
    makes: 'sgmap',
    gives: ['entries', 'handles'],
  }),
  dma_unmap_sg: sgVerb,
  dma_sync_sg_for_cpu: sgVerb,
  dma_sync_sg_for_device: sgVerb,
}

const anywhere: readonly Kind[] = ['pages', 'range', 'area', 'buffer']
const reached: readonly Kind[] = ['map', 'buffer', 'sgmap']
const lines = verb({
  args: z.strictObject({ in: nameValue, offset: countValue.default(0), size: sizeValue.optional() }),
  refs: { in: anywhere },
})

export const hardwareVerbs = {
  /** The CPU stores: as the kernel, or as the process that has the area (or `by` another that has inherited it). */
  write: verb({
    args: z.strictObject({
      in: nameValue,
      offset: countValue.default(0),
      bytes: bytesValue,
      by: nameValue.optional(),
    }),
    refs: { in: anywhere, by: ['process'] },
    gives: ['signal'],
  }),
  /** `byte` is the value that all bytes have, null when they differ. */
  read: verb({
    args: z.strictObject({
      in: nameValue,
      offset: countValue.default(0),
      size: sizeValue.optional(),
      by: nameValue.optional(),
    }),
    refs: { in: anywhere, by: ['process'] },
    gives: ['text', 'bytes', 'byte', 'signal'],
  }),
}

/** Which piece of a scatterlist. */
const entry = countValue.default(0)

export const deviceVerbs = {
  deviceWrite: verb({
    args: z.strictObject({ in: nameValue, entry, offset: countValue.default(0), bytes: bytesValue }),
    refs: { in: reached },
  }),
  deviceRead: verb({
    args: z.strictObject({ in: nameValue, entry, offset: countValue.default(0), size: sizeValue.optional() }),
    refs: { in: reached },
    gives: ['text', 'bytes', 'byte'],
  }),
  /** The CPU speculates: lines come into its cache that nobody asked for. */
  prefetch: lines,
  /** The cache makes room: lines leave it, dirty ones through RAM. */
  evict: lines,
}
// #endregion scenario-verbs-dma
