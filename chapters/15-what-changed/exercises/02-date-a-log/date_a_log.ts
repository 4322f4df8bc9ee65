// SPDX-License-Identifier: MIT

/** The kernels of this chapter, oldest first. */
const KERNELS = ['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117']

/** Which of them can have printed all of `log`, oldest first. */
export function kernelsOf(log: readonly string[]): string[] {
  return log.some((line) => line.startsWith('cma: CMA: ')) ? KERNELS.slice(0, 2) : KERNELS
}
