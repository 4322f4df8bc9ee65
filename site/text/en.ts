// SPDX-License-Identifier: MIT
//
// Every word that the templates print, in English. A second language is a second file of this shape.

export const en = {
  lang: 'en',
  name: 'Contiguous',
  tagline: 'Large pieces of physically contiguous memory, and how Linux hands them to a device.',
  description:
    'A workbook on contiguous DMA memory in Linux. Every claim can be run three times: in the page, at the desk, and on a board.',
  skip: 'Skip to the text',
  siteNavigation: 'Course',
  home: 'Contents',
  source: 'Sources',
  api: 'API',
  theme: 'Light or dark',
  themeLight: 'light',
  themeDark: 'dark',
  inThisChapter: 'In this chapter',
  inThisAppendix: 'In this appendix',
  part: 'Part',
  chapter: 'Chapter',
  appendix: 'Appendix',
  minutes: 'min read',
  previous: 'Previous',
  next: 'Next',
  betweenChapters: 'Between chapters',
  planned: 'planned',
  sources: 'Sources',
  backToText: 'Back to the text',
  output: 'prints',
  transcript: 'terminal',
  log: 'log',
  commit: 'commit',
  and: 'and',
  nested: 'shown in a listing of its own',
  seenBefore: 'seen before',
  line: 'line',
  lines: 'lines',
  toldIn: 'Told in',
  docsOf: 'API documentation of this file',
  notTold: 'Its chapter is not written yet.',
  scroll: 'Table, scrolls sideways',
  mapScale: 'Heights are compressed: not to scale.',
  licence: 'Text and models MIT, kernel modules GPL-2.0-only.',
  builtFrom: 'Everything in print was run.',
  front: {
    begin: (number: number, title: string): string => `Begin with chapter ${number}, ${title}`,
    readHeading: 'What it is',
    read: [
      'A camera wants 32 MiB in one piece, a radio wants 512, and the pages of a running system lie scattered. This is a course about the ways in which Linux finds such a piece, hands it to a device, and takes it back.',
      'Each mechanism is a model that runs in the page, an exercise at your desk, and a kernel module on a real kernel. The three are checked against each other, line for line.',
    ],
    whomHeading: 'For whom',
    whom: 'You read C and have built a kernel module, or mean to. You need not know the memory manager. If you came with a board that will not give up its 512 MiB, begin with chapter 2.',
    howHeading: 'How to begin',
    how: 'Read here; the code in a chapter runs in the page and you can change it. Then take it to a terminal:',
    commands: [
      ['npx contig do', 'an exercise, checked while you edit'],
      ['npx contig lab', 'a real kernel on a virtual board, with a real module'],
    ],
    contents: 'Contents',
    appendices: 'Appendices',
    figure:
      'A row of page frames, most of them scattered in use, and one long run that is free and contiguous.',
  },
  exercises: {
    kinds: { dts: 'a device tree', typescript: 'TypeScript', c: 'C, on a board', question: 'a question' },
    minutes: 'minutes',
    difficulty: 'difficulty',
    after: 'after',
  },
  notFound: {
    title: 'No page here',
    text: 'This address is mapped to nothing. The contents list every page there is.',
    back: 'To the contents',
  },
  offline: {
    title: 'Not kept on this device',
    text: 'You are offline, and this page is not among those that this browser has kept. The chapters are.',
    back: 'To the contents',
  },
  /** The course as files to take along. */
  takeAlong: {
    heading: 'To take along',
    epub: 'EPUB, for a reader of electronic books',
    pdf: 'PDF, for paper',
    foot: 'Take it along:',
  },
  epub: {
    creator: 'The Contiguous authors',
    cover: 'Cover',
    begin: 'Begin reading',
    landmarks: 'Landmarks',
    edition: 'Edition of',
    accessibility:
      'All text is real text, code included; every figure has a title and a description in words; sources are footnotes with links back.',
    about: [
      'This is the text of an online course, made from the same sources. There the code runs in the page; here stands what it printed when this edition was made.',
      'A path above a listing names its file in the sources of the course. Where a listing is folded, a card in its place says what it holds, and in which file.',
    ],
  },
  sourceIndex: {
    title: 'Sources',
    description: 'Every source file of the models and the kernel modules, with the chapter that tells it.',
  },
  coverage: {
    title: 'Coverage',
    description:
      'Every mechanism that the five source articles name, and where this course has it: told, modelled, on a real kernel, exercised, tried.',
    heads: ['Mechanism', 'Article', 'Told in', 'Model', 'Module, or what is seen', 'contig do', 'contig lab'],
    link: 'What is covered, mechanism by mechanism',
  },
  /** Words of the scripts (site/client/words.ts): plain text, `{name}` where a value goes. */
  scripts: {
    copy: { copy: 'copy', copied: 'copied', refused: 'the browser refused' },
    offline: {
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
  },
  kinds: {
    ram: 'ordinary memory',
    reserved: 'reserved, still mapped',
    'no-map': 'reserved, not mapped',
    cma: 'reusable, lent to pages',
    kernel: 'kernel image',
    device: 'device registers',
    hole: 'nothing there',
  },
} as const

export type SiteText = typeof en
