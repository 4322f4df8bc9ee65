// SPDX-License-Identifier: MIT
//
// The oldest browsers that the scripts and styles are written for.
export const TARGET = ['chrome123', 'firefox120', 'safari17.5']
