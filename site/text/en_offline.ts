// SPDX-License-Identifier: MIT
//
// Words of what keeps the course for reading offline and offers a newer edition. No page carries them: they come when it is
// idle (site/offline/words.ts).

export const offline = {
  kept: {
    beginning: 'Being kept for reading offline…',
    fetching: 'Being kept for reading offline: {kept} of {all} MB.',
    readable: 'The chapters can be read offline; sources are on their way, {kept} of {all} MB.',
    partly: 'The chapters can be read offline; not all sources could be kept, {kept} of {all} MB.',
    ready: 'Can be read offline: all of it is here, {all} MB.',
    refused: 'Not kept for reading offline: a file or the room for it was refused.',
    offer: 'Not kept for reading offline.',
    keep: 'Keep it',
    again: 'Try again',
    remove: 'Remove',
  },
  newer: {
    label: 'A newer edition',
    text: 'A newer edition of the course is here.',
    read: 'Read it now',
    later: 'Later',
  },
} as const

export type OfflineWords = typeof offline
