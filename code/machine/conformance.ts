// SPDX-License-Identifier: MIT
//
// The model against a kernel that booted the same tree: the same lines in the same order, the same RAM in /proc/iomem.

// #region conformance-imports
import type { Machine } from './boot.ts'
import { answerableLines, kernelLines, ramPart } from './observed.ts'
// #endregion conformance-imports

// #region conformance
/** What the kernel showed. `dmesg` may have time stamps and other lines; `iomem` is /proc/iomem read as root. */
export interface ObservedKernel {
  readonly dmesg: string
  readonly iomem: string
}

export interface Difference {
  readonly what: 'log' | 'iomem'
  /** Line of that output from 1, counting only what is compared. */
  readonly line: number
  /** Null: the model has no such line. */
  readonly model: string | null
  /** Null: the kernel has no such line. */
  readonly kernel: string | null
}
// #endregion conformance

// #region conformance-compare
/** Compares line by line; `compared` counts the lines of the longer side. */
export function compareWithKernel(
  machine: Machine,
  observed: ObservedKernel,
): { compared: number; different: Difference[] } {
  const log = pairs('log', answerableLines(machine.log), answerableLines(kernelLines(observed.dmesg)))
  const iomem = pairs('iomem', ramPart(machine.procIomem()), ramPart(observed.iomem))
  const all = [...log, ...iomem]
  return { compared: all.length, different: all.filter(({ model, kernel }) => model !== kernel) }
}

function pairs(what: Difference['what'], model: string[], kernel: string[]): Difference[] {
  return Array.from({ length: Math.max(model.length, kernel.length) }, (_, i) => {
    return { what, line: i + 1, model: model[i] ?? null, kernel: kernel[i] ?? null }
  })
}
// #endregion conformance-compare
