// SPDX-License-Identifier: MIT
//
// Out of memory, mm/oom_kill.c: what is said when neither free pages nor reclaim serve a request that will not fail.
//
//     __alloc_pages() → watermark fails → reclaim, no progress → out_of_memory()
//
// Leaves out: choosing a victim and killing it; the report of what every zone and every process has.

// #region oom-imports
import { formatGfp } from './gfp_print.ts'
import type { Vm } from './vm.ts'
// #endregion oom-imports

// #region oom
/**
 * Says that memory is out, and for whom. Nobody is killed: the caller's request fails instead.
 * @kernel mm/oom_kill.c out_of_memory() v6.12
 * @omits the victim; the report behind the first line
 */
export function out_of_memory(vm: Vm, gfp_mask: number, order: number): void {
  const { kernel } = vm.pgdat
  const { comm } = vm.trace.current
  vm.steps?.push('out_of_memory')
  // 4.12 says from which nodes, with a space too many behind it.
  const nodes = kernel === '4.12.4' ? ', nodemask=(null), ' : ','
  const adj = `${kernel === '3.5' ? 'oom_adj=0, ' : ''}oom_score_adj=0`
  const mode = `gfp_mask=${formatGfp(gfp_mask, kernel)}${nodes}`
  vm.log.print('warn', `${comm} invoked oom-killer: ${mode} order=${order}, ${adj}`)
}
// #endregion oom
