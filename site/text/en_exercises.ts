// SPDX-License-Identifier: MIT
//
// What the exercises in the page say once a reader works on them, in English: fetched then, by site/exercises/words.ts, so
// that no page carries it. A second language is a second file of this shape.

export const words = {
  checking: 'Checking…',
  stopped: 'Stopped.',
  right: 'Right.',
  notYet: 'Not yet.',
  result: 'Result',
  printed: 'Your program printed',
  moreLines: '… {count} lines more',
  line: 'Line {line}',
  readAgain: 'Read again:',
  compare: 'Compare with ours: the button Solution.',
  next: 'Next:',
  notLoaded: 'It could not be loaded. Is the network off, or the page no longer served?',
  broken: 'The check itself failed, which is a fault of the course: {text}',
  editorOf: 'Your {file}',
  kept: 'This is your text; Reset brings the book’s back.',
  reset: 'As in the book. What you wrote is put aside.',
  bringBack: 'Bring mine back',
  notKept:
    'This browser keeps nothing for the course: its storage is refused or full. What you do here lasts until you leave the page; save it on the page of all exercises.',
  hint: 'Hint {step} of {all}',
  noMoreHints: 'That was the last hint. The solution opens after a pass, or when you give up.',
  giveUp: 'See the solution now?',
  giveUpText: 'Yours has not passed yet. The list of exercises will remember that you looked.',
  giveUpYes: 'Show it',
  giveUpNo: 'Not yet',
  solution: 'Our solution, and why',
  why: 'Why',
  answer: 'Answer',
  withSeed: 'with seed {seed}',
  asking: 'Drawing other numbers…',
  asked: 'Asked with seed {seed}.',
  seedWrong: '“{seed}” is no seed; expected a number of at most nine digits.',
  again: 'Once more: the button Other numbers.',
  saved: '{file} is saved: {passed} of {all} exercises passed.',
  savedWithout: 'Without the texts of {ids}: they are not those that passed.',
  brought: '{file}: {passes} passed there, {fresh} of them new here.',
  broughtTexts: 'Your texts of {ids} came with it.',
  broughtSeed: 'Your seed is now {seed}, as there.',
  unreadable: '{file} could not be read.',
} as const

export type ExerciseWords = Readonly<Record<keyof typeof words, string>>
