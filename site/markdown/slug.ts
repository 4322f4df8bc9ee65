// SPDX-License-Identifier: MIT

/** `remap_pfn_range() and its rules` → `remap_pfn_range-and-its-rules`: kernel names stay whole. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\s-]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
}
