// SPDX-License-Identifier: MIT
//
// The commands of /dev/cma_mem, as kernel/cma_mem/cma_mem_ioctl.c answers them. The argument is an address in the memory
// of the program that calls, from which the request is copied and to which the answer goes.
//
//     copy_from_user() ── what is asked ── the work ── copy_to_user()
//
// Of every command: -EFAULT for an address that cannot be read or written, -ENOENT where a buffer is needed and the file
// holds none, -EINVAL for a reserved field that is not 0, -ENOTTY for a number that is none of the driver's.

// #region cma-mem-ioctl-model-imports
import { decodeStruct, encodeStruct, type CFields, type CLayout, type CValue } from '../lib/c_layout.ts'
import { EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENOENT, ENOTTY, ENXIO, EPERM } from '../lib/errno.ts'
import type { VirtAddr } from '../lib/units.ts'
import { copy_from_user, copy_to_user } from '../mm/usercopy.ts'
import type { File, MmStruct } from '../mm/vm.ts'
import {
  attachBuffer,
  cmaMemFile,
  createBuffer,
  destroyBuffer,
  detachBuffer,
  type CmaMem,
  type CmaMemFile,
} from './cma_mem_buffer.ts'
import { CMA_MEM, CMA_MEM_LAYOUTS, CMA_MEM_MAP_DMA, CMA_MEM_MAP_PFN } from './cma_mem_abi.ts'
import { DMA_ATTR_WRITE_COMBINE } from '../dma/dma_state.ts'
// #endregion cma-mem-ioctl-model-imports

// #region cma-mem-ioctl-model-types
/** The program that calls. */
export interface Caller {
  readonly mm: MmStruct
  /** Its open files by descriptor, for CONNECT. */
  readonly files?: ReadonlyMap<number, File>
  /** Whether it has CAP_SYS_RAWIO; root has. Default true. */
  readonly rawio?: boolean
}

interface Call {
  readonly cm: CmaMem
  readonly caller: Caller
  readonly file: File
  readonly cf: CmaMemFile
  readonly arg: VirtAddr
}
// #endregion cma-mem-ioctl-model-types

// #region cma-mem-ioctl-model-copy
function ask<Fields extends CFields>(
  { cm, caller, arg }: Call,
  layout: CLayout<Fields>,
): Record<keyof Fields, number> | null {
  const bytes = new Uint8Array(layout.size)
  return copy_from_user(cm.dma.vm, caller.mm, bytes, arg) === 0 ? decodeStruct(layout, bytes) : null
}

function answer<Fields extends CFields>(
  { cm, caller, arg }: Call,
  layout: CLayout<Fields>,
  values: Record<keyof Fields, CValue>,
): number {
  return copy_to_user(cm.dma.vm, caller.mm, arg, encodeStruct(layout, values)) === 0 ? 0 : -EFAULT
}
// #endregion cma-mem-ioctl-model-copy

// #region cma-mem-ioctl-model-allocate
function allocate(call: Call): number {
  const { cm, cf } = call
  const req = ask(call, CMA_MEM_LAYOUTS.allocate)
  if (!req) return -EFAULT
  const { size, flags, reserved } = req
  if (size === 0 || size > cm.limit || flags > 1 || reserved !== 0) return -EINVAL
  if (cf.buffer) return -EBUSY
  const buffer = createBuffer(cm, size, flags)
  if (typeof buffer === 'number') return buffer
  // Before the file has it: then giving it back is all there is to undo.
  const err = answer(call, CMA_MEM_LAYOUTS.allocate, { ...req, granted: buffer.size })
  if (err === 0) attachBuffer(cf, buffer)
  else destroyBuffer(cm, buffer)
  return err
}

function free({ cf }: Call): number {
  if (!cf.buffer) return -ENOENT
  if (cf.mappings > 0) return -EBUSY
  detachBuffer(cf)
  return 0
}
// #endregion cma-mem-ioctl-model-allocate

// #region cma-mem-ioctl-model-connect
function connect(call: Call): number {
  const { cm, caller, file, cf } = call
  const req = ask(call, CMA_MEM_LAYOUTS.connect)
  if (!req) return -EFAULT
  if (req.reserved !== 0) return -EINVAL
  const other = caller.files?.get(req.fd)
  if (!other) return -EBADF
  const theirs = cmaMemFile(other)
  if (theirs?.cm !== cm) return -EINVAL
  if (file.f_mode & ~other.f_mode) return -EACCES
  if (!theirs.buffer) return -ENOENT
  if (cf.buffer) return -EBUSY
  attachBuffer(cf, theirs.buffer)
  return 0
}
// #endregion cma-mem-ioctl-model-connect

// #region cma-mem-ioctl-model-map
function setHow({ cf }: Call, how: number): number {
  if (!cf.buffer) return -ENOENT
  if (how === 0 && cf.mappings > 0) return -EBUSY
  cf.how = how
  return 0
}

function map(call: Call): number {
  const req = ask(call, CMA_MEM_LAYOUTS.map)
  if (!req) return -EFAULT
  const { how, reserved } = req
  if ((how !== CMA_MEM_MAP_DMA && how !== CMA_MEM_MAP_PFN) || reserved !== 0) return -EINVAL
  return setHow(call, how)
}
// #endregion cma-mem-ioctl-model-map

// #region cma-mem-ioctl-model-get
function getSize(call: Call): number {
  const { buffer, how, mappings } = call.cf
  if (!buffer) return -ENOENT
  const { size, attrs, files } = buffer
  const flags = attrs & DMA_ATTR_WRITE_COMBINE ? 1 : 0
  return answer(call, CMA_MEM_LAYOUTS.size, { size, flags, how, mappings, files })
}

function getTotalSize(call: Call): number {
  const { used, limit } = call.cm
  return answer(call, CMA_MEM_LAYOUTS.total, { used, limit })
}

function getPhys(call: Call): number {
  const { buffer } = call.cf
  if (!(call.caller.rawio ?? true)) return -EPERM
  if (!buffer) return -ENOENT
  return answer(call, CMA_MEM_LAYOUTS.phys, { address: buffer.dma_handle, size: buffer.size })
}
// #endregion cma-mem-ioctl-model-get

// #region cma-mem-ioctl-model-flush
// A barrier, and no cache operation: what the program wrote through its uncached mapping is in memory already.
function cacheFlush(call: Call): number {
  const range = ask(call, CMA_MEM_LAYOUTS.range)
  if (!range) return -EFAULT
  if (range.length === 0) return -EINVAL
  const { buffer } = call.cf
  if (!buffer) return -ENOENT
  const inside = range.offset < buffer.size && range.length <= buffer.size - range.offset
  return inside ? 0 : -ENXIO
}
// #endregion cma-mem-ioctl-model-flush

// #region cma-mem-ioctl-model
const COMMANDS = new Map<number, (call: Call) => number>([
  [CMA_MEM.GET_PHYS, getPhys],
  [CMA_MEM.MAP, map],
  [CMA_MEM.GET_SIZE, getSize],
  [CMA_MEM.UNMAP, (call) => setHow(call, 0)],
  [CMA_MEM.ALLOCATE, allocate],
  [CMA_MEM.CONNECT, connect],
  [CMA_MEM.GET_TOTAL_SIZE, getTotalSize],
  [CMA_MEM.CACHE_FLUSH, cacheFlush],
  [CMA_MEM.FREE, free],
])

/**
 * ioctl(2) on a file of openCmaMem(): 0 or a negative errno.
 * @param cmd - one of `CMA_MEM`; any other is -ENOTTY
 * @param arg - address in the caller's memory of the command's structure; FREE and UNMAP have none
 * Throws for a file that is not the driver's.
 */
export function cmaMemIoctl(cm: CmaMem, caller: Caller, file: File, cmd: number, arg: VirtAddr = 0): number {
  const cf = cmaMemFile(file)
  if (cf?.cm !== cm)
    throw new Error(`cmaMemIoctl: got a file of ${file.f_inode.name}, expected one of openCmaMem()`)
  return COMMANDS.get(cmd)?.({ cm, caller, file, cf, arg }) ?? -ENOTTY
}
// #endregion cma-mem-ioctl-model
