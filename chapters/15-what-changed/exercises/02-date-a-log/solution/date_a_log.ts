// SPDX-License-Identifier: MIT

/** The kernels of this chapter, oldest first. */
const KERNELS = ['3.5', '3.9', '4.6', '4.12.4', '6.1.192', '6.12.117']

/** Whole lines, and the kernels that print them. */
const LINES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^cma: CMA: reserved \d+ MiB at [0-9a-f]+$/, ['3.5', '3.9']],
  [/^cma: Reserved \d+ MiB at 0x[0-9a-f]+$/, ['4.6', '4.12.4', '6.1.192']],
  [/^cma: Reserved \d+ MiB at 0x[0-9a-f]+ on node -?\d+$/, ['6.12.117']],
  [/^cma: cma_alloc: alloc failed, req-size: \d+ pages, ret: -\d+$/, ['4.12.4']],
  [/^cma: cma_alloc: \S+: alloc failed, req-size: \d+ pages, ret: -\d+$/, ['6.1.192']],
  [/^cma: __cma_alloc: \S+: alloc failed, req-size: \d+ pages, ret: -\d+$/, ['6.12.117']],
  [/^cma: number of available pages: /, ['6.12.117']],
  [/^Reserved memory: initialized node \S+, compatible id \S+$/, ['4.6']],
  [/^OF: reserved mem: initialized node \S+, compatible id \S+$/, ['4.12.4', '6.1.192', '6.12.117']],
  [/^Reserved memory: created (DMA|CMA) memory pool at /, KERNELS.slice(2)],
  [/^OF: reserved mem: 0x[0-9a-f]+\.\.0x[0-9a-f]+ \(\d+ KiB\) /, ['6.12.117']],
  [/^Reserved memory: unsupported node format, ignoring$/, ['4.6']],
  [/^OF: fdt: Reserved memory: unsupported node format, ignoring$/, ['4.12.4', '6.1.192']],
  [/^OF: reserved mem: Reserved memory: unsupported node format, ignoring$/, ['6.12.117']],
]

/** Which of them can have printed all of `log`, oldest first. */
export function kernelsOf(log: readonly string[]): string[] {
  const known = log.flatMap((line) => LINES.filter(([text]) => text.test(line)))
  return KERNELS.filter((kernel) => known.every(([, kernels]) => kernels.includes(kernel)))
}
