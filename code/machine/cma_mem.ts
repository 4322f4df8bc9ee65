// SPDX-License-Identifier: MIT
//
// The driver kernel/cma_mem on a machine of the model: contiguous buffers for programs, one for each open file, with the
// errnos of the module. This file has the device and its files, cma_mem_buffer.ts the
// buffers, cma_mem_mmap.ts mappings, cma_mem_ioctl.ts the commands.
//
//     const cm = probeCmaMem(system.dma, misc, { limit })       insmod cma_mem limit=…
//     const file = openCmaMem(cm)                                open("/dev/cma_mem")
//     cmaMemIoctl(cm, caller, file, CMA_MEM.ALLOCATE, arg)       arg: an address in the caller's memory
//     do_mmap(vm, mm, { file, … })                               mmap(2)
//     fput(vm, file)                                             close(2)
//     removeCmaMem(cm)                                           rmmod: -EAGAIN while a file is open
//
// Leaves out: locks (one caller at a time), so that nothing can come between two steps of one command.

// #region cma-mem-model-imports
import { kernelRead, kernelWrite } from '../arch/kernel_map.ts'
import { DMA_BIT_MASK } from '../dma/dma_address.ts'
import type { Dma } from '../dma/dma_state.ts'
import { dma_set_mask_and_coherent } from '../dma/mask.ts'
import { EINVAL, ENODEV, ENOSPC } from '../lib/errno.ts'
import { GiB, KiB, MiB, round_down, type Bytes } from '../lib/units.ts'
import type { File } from '../mm/vm.ts'
import { createDevice } from '../of/reserved_mem.ts'
import { cmaMemFile, detachBuffer, type CmaMem, type CmaMemFile } from './cma_mem_buffer.ts'
import { cmaMemMmap } from './cma_mem_mmap.ts'
import * as misc from './misc.ts'
// #endregion cma-mem-model-imports

// #region cma-mem-model-probe
/** The module's parameters. */
export interface CmaMemOptions {
  /** Bytes that all buffers may have together; 64 MiB when unsaid. */
  readonly limit?: Bytes
}
// #endregion cma-mem-model-probe

// #region cma-mem-model-load
/**
 * Loads the module: the device, or -EINVAL (`limit`, in bytes, is less than a page or more than 1 GiB), -ENODEV (the
 * device reaches no memory), or what misc_register() says.
 */
export function probeCmaMem(
  dma: Dma,
  state: misc.Misc,
  { limit = MiB(64) }: CmaMemOptions = {},
): CmaMem | number {
  const whole = round_down(limit, dma.pageSize)
  if (whole === 0 || whole > GiB(1)) return -EINVAL
  const dev = createDevice('cma_mem cma_mem', null)
  if (dma_set_mask_and_coherent(dma, dev, DMA_BIT_MASK(32)) !== 0) return -ENODEV
  const module: misc.KernelModule = { name: 'cma_mem', refs: 0 }
  const device: misc.MiscDevice = { minor: misc.MISC_DYNAMIC_MINOR, name: 'cma_mem', fops: fopsOf(module) }
  const cm: CmaMem = { dma, dev, misc: state, device, module, limit: whole, used: 0 }
  devices.set(device, cm)
  const err = misc.misc_register(state, device)
  if (err < 0) return err
  dma.log.print('info', `${dev.name}: /dev/cma_mem: up to ${whole / KiB(1)} KiB`)
  return cm
}

// What container_of() finds from the miscdevice.
const devices = new WeakMap<misc.MiscDevice, CmaMem>()
// #endregion cma-mem-model-load

// #region cma-mem-model-fops
function fopsOf(owner: misc.KernelModule): misc.MiscDevice['fops'] {
  return {
    owner,
    open: (_vm, file) => {
      const cm = devices.get(file.private_data as misc.MiscDevice)!
      file.private_data = { cm, mappings: 0, buffer: null, how: 0 } satisfies CmaMemFile
      return 0
    },
    release: (_vm, file) => {
      const cf = cmaMemFile(file)!
      if (cf.buffer) detachBuffer(cf)
    },
    mmap: (vm, file, vma) => cmaMemMmap(vm, cmaMemFile(file)!, vma),
  }
}
// #endregion cma-mem-model-fops

// #region cma-mem-model-open
/** open(2) of /dev/cma_mem: a file without a buffer, or what misc_open() says. */
export function openCmaMem({ misc: state, dma, device }: CmaMem, f_mode?: number): File | number {
  return misc.misc_open(state, dma.vm, device.minor, f_mode)
}

/** Unloads the module: 0, or -EAGAIN while a file is open, be it only by a mapping. */
export function removeCmaMem({ misc: state, device, module }: CmaMem): number {
  const err = misc.mayUnload(module)
  if (err === 0) misc.misc_deregister(state, device)
  return err
}
// #endregion cma-mem-model-open

// #region cma-mem-model-read-write
/** pread(2): at most `n` bytes from `pos` on, as the kernel sees them; none where the buffer ends, or there is none. */
export function readCmaMem({ cm, buffer }: CmaMemFile, pos: Bytes, n: Bytes): Uint8Array {
  const length = Math.max(0, Math.min(n, (buffer?.size ?? 0) - pos))
  return length === 0 ? new Uint8Array() : kernelRead(cm.dma.kernelMap, buffer!.cpu_addr + pos, length)
}

/** pwrite(2): how many bytes were written; -ENOSPC at the end of the buffer, or without one. */
export function writeCmaMem({ cm, buffer }: CmaMemFile, pos: Bytes, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0
  const length = Math.min(bytes.length, (buffer?.size ?? 0) - pos)
  if (length <= 0) return -ENOSPC
  kernelWrite(cm.dma.kernelMap, buffer!.cpu_addr + pos, bytes.subarray(0, length))
  return length
}
// #endregion cma-mem-model-read-write
