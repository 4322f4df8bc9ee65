// SPDX-License-Identifier: MIT
//
// The order in which a driver takes its memory back.

export type Step = 'free' | 'gone' | 'hide' | 'stop the sampler' | 'unmap' | 'wait for users'

// Yours. What has to be over before the memory is free, and what before that?
export const ORDER: readonly Step[] = ['free', 'gone', 'hide', 'stop the sampler', 'unmap', 'wait for users']
