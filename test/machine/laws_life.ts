// SPDX-License-Identifier: MIT
//
// The life of a machine in the laws: it boots, things happen to it and are checked, and in the end all is given back.
import { dma_alloc_coherent, dma_free_coherent } from '../../code/dma/mapping.ts'
import { fput } from '../../code/mm/file.ts'
import { truncate_inode_pages, vfs_fsync } from '../../code/mm/filemap.ts'
import { GFP_KERNEL } from '../../code/mm/gfp.ts'
import { unpin_user_page } from '../../code/mm/gup.ts'
import { checkCounters, checkEnd, checkFull, takeBaseline } from './laws_check.ts'
import { freeBuffer } from './laws_dma.ts'
import { PAGE, type LawMachine } from './laws_machines.ts'
import { exit, fileRead, perform, type Operation } from './laws_operations.ts'
import { createWorld, FILE_PAGES, happened, type World } from './laws_world.ts'

// Between them the counters alone are checked.
const FULL_CHECK_EVERY = 60

/** A machine that has booted, whose pool has been used, so that what is made with the first use is there. */
export function boot(machine: LawMachine, layout: number): World {
  const world = createWorld(machine, layout)
  const { dma } = world.system
  for (const { dev, pool } of world.devices) {
    if (!pool) continue
    const buffer = dma_alloc_coherent(dma, dev, PAGE, GFP_KERNEL)!
    dma_free_coherent(dma, dev, PAGE, buffer.cpu_addr, buffer.dma_handle)
  }
  takeBaseline(world)
  return world
}

/** Everybody gives back what he has, after a last look at it; the machine is as it was after boot then. */
export function endAll(world: World): void {
  if (world.stuck) return
  const { vm } = world.system
  const { pgmigrate_success, pgmigrate_fail, pgsteal, pgfault } = vm.pgdat.vm_event
  const kernel = {
    'pages moved': pgmigrate_success,
    'moves failed': pgmigrate_fail,
    'pages dropped': pgsteal,
  }
  for (const [event, count] of Object.entries({ ...kernel, faults: pgfault })) happened(world, event, count)
  for (let page = 0; page < FILE_PAGES; page++) fileRead(world, page)
  for (const process of [...world.processes]) exit(world, process)
  for (const { pfn } of world.pins.splice(0)) unpin_user_page(vm, pfn)
  for (const buffer of [...world.buffers]) freeBuffer(world, buffer)
  while (world.raw.length > 0) perform(world, ['free', 0, 0])
  while (world.taken.length > 0) perform(world, ['cmaRelease', 0, 1])
  vfs_fsync(vm, world.file)
  truncate_inode_pages(vm, world.inode.i_mapping!)
  fput(vm, world.file)
  checkEnd(world)
}

/** Lets one after the other happen, with the laws checked: the counters after each, all of them now and then. */
export function live(world: World, operations: readonly Operation[]): void {
  for (let i = 0; i < operations.length && !world.stuck; i++) {
    perform(world, operations[i]!)
    if (world.stuck) return
    checkCounters(world)
    if (i % FULL_CHECK_EVERY === 0) checkFull(world)
  }
  if (!world.stuck) checkFull(world)
}
