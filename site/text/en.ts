// SPDX-License-Identifier: MIT
//
// Every word that the templates print, in English, the language in which the course is written first. Another language is
// another file of this shape, in site/languages.ts. `{name}` stands where a value goes (site/fill.ts).

export const en = {
  lang: 'en',
  /** What the language calls itself. */
  languageName: 'English',
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
  cell: 'Cell {id}',
  code: 'Code, {lang}',
  alerts: { note: 'Note', tip: 'Tip', important: 'Important', warning: 'Warning', caution: 'Caution' },
  docsOf: 'API documentation of this file',
  notTold: 'Its chapter is not written yet.',
  search: 'Search',
  shortcuts: 'Keyboard',
  edit: 'Edit this page',
  report: 'Report a mistake',
  scroll: 'Table, scrolls sideways',
  mapScale: 'Heights are compressed: not to scale.',
  licence: 'Text and models MIT, kernel modules GPL-2.0-only.',
  builtFrom: 'Everything in print was run.',
  front: {
    begin: 'Begin with chapter {number}, {title}',
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
    /** What the strip of page frames shows, for the card that is seen where a page is shared. */
    figure:
      'A row of page frames, most of them scattered in use, and one long run that is free and contiguous.',
  },
  /** What a number that can be dragged is called: {title} is the widget's. */
  draggable: 'Number that changes the picture “{title}”',
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
  sourceIndex: {
    title: 'Sources',
    description: 'Every source file of the models and the kernel modules, with the chapter that tells it.',
  },
  changes: {
    title: 'What is new',
    description: 'What a reader gains with each version of the course.',
    link: 'What is new',
  },
  licences: {
    title: 'Licences',
    description:
      'What you may do with the text, the models and the kernel modules; where the modules’ source is; whose work the pages carry.',
    ours: 'What is ours',
    rows: [
      { what: 'The chapters, the models, the tools and these pages', licence: 'MIT', file: 'MIT.txt' },
      {
        what: 'The kernel modules with their headers, device trees and programs, and the drivers of the exercises',
        licence: 'GPL-2.0-only',
        file: 'GPL-2.0-only.txt',
      },
      {
        what: 'The header that programs share with a module',
        licence: 'GPL-2.0-only WITH Linux-syscall-note',
        file: 'Linux-syscall-note.txt',
      },
    ],
    sourceHeading: 'The source of the modules',
    source:
      'All that the modules are built from, the text of their licence included. It is made with these pages from the same files, and the same files give the same bytes.',
    archive: '{files} files, {size}, SHA-256',
    others: 'What others wrote',
    othersText: 'The scripts of these pages contain parts of the packages below, each under its own licence.',
    allTexts: 'The texts of their licences',
    heads: ['Package', 'Version', 'Licence'],
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
    copy: {
      copy: 'copy',
      commands: 'copy commands',
      copied: 'copied',
      refused: 'The browser refused: the text is selected, copy it by hand.',
      line: 'link',
      lineLong: 'Link to a line of {name}',
    },
    place: { goOn: 'Go on where you were', section: '{chapter}: {section}' },
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

/** The shape of a language's words: the keys of the English ones, with any strings. */
type Worded<T> = T extends string ? string : { readonly [Key in keyof T]: Worded<T[Key]> }

export type SiteText = Worded<typeof en>
