// SPDX-License-Identifier: MIT
//
// The order in which a driver takes its memory back.

export type Step = 'free' | 'gone' | 'hide' | 'stop the sampler' | 'unmap' | 'wait for users'

export const ORDER: readonly Step[] = ['hide', 'stop the sampler', 'wait for users', 'gone', 'unmap', 'free']
