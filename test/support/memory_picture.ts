// SPDX-License-Identifier: MIT
//
// Memory as a picture, for tests: see code/machine/picture.ts.
export {
  drawMemory,
  freeBlocks,
  listedBlocks,
  pictured,
  type PictureOptions,
} from '../../code/machine/picture.ts'
