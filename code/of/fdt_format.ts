// SPDX-License-Identifier: MIT
//
// The flattened device tree as the Devicetree Specification lays it out (v0.4, chapter 5), versions 16 and 17:
//
//     0          header: ten cells (nine in version 16), see FDT_HEADER
//     rsvmap     memory reservation block: pairs of 64-bit address and size; a pair of zeroes ends it
//     struct     structure block: tags FDT_BEGIN_NODE … FDT_END, each at a multiple of 4
//     strings    strings block: the property names, each with its NUL
//
// @kernel scripts/dtc/libfdt/fdt.h v6.12

// #region fdt-format
export const FDT_MAGIC = 0xd00dfeed

export const FDT_BEGIN_NODE = 1
export const FDT_END_NODE = 2
export const FDT_PROP = 3
export const FDT_NOP = 4
export const FDT_END = 9

/** Byte offsets of the header's cells. */
export const FDT_HEADER = {
  magic: 0,
  totalsize: 4,
  off_dt_struct: 8,
  off_dt_strings: 12,
  off_mem_rsvmap: 16,
  version: 20,
  last_comp_version: 24,
  boot_cpuid_phys: 28,
  size_dt_strings: 32,
  size_dt_struct: 36,
} as const

/** Bytes of a header of version 16, which has no `size_dt_struct`. */
export const FDT_V16_SIZE = 36
/** Bytes of a header of version 17. */
export const FDT_V17_SIZE = 40
// #endregion fdt-format
