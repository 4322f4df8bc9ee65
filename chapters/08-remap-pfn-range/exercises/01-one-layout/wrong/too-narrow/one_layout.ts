// SPDX-License-Identifier: MIT
//
// The structure of a command, field by field in the order of the header, and its number.

/** Types of fields; a pointer to anything is `pointer`. */
type CType =
  | 'char'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'pointer'
  | '__u8'
  | '__u16'
  | '__u32'
  | '__s32'
  | '__u64'

export const ALLOCATE_FIELDS: Readonly<Record<string, CType>> = {
  size: '__u32',
  flags: '__u32',
  granted: '__u32',
}

/** Direction in bits 31 and 30, size in 29 to 16, type in 15 to 8, number in 7 to 0. */
export const ALLOCATE = 0xc00c_bd01
