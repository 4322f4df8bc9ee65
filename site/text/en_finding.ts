// SPDX-License-Identifier: MIT
//
// Words of what is loaded when a reader asks for it: search, pop-ups of the glossary, the sheet of keys, links to lines.
// No page carries them: site/client/finding_words.ts imports the file of the page's language.

export const finding = {
  search: {
    title: 'Search',
    close: 'Close',
    placeholder: 'Words, kernel names, 中文',
    loading: 'Loading the index…',
    failed:
      'The index did not load. If you are offline, search works once it has been opened with the network on.',
    retry: 'Try again',
    hint: 'A part of a name is enough: contig_range. ↑ ↓ choose, Enter opens, Esc closes.',
    none: 'Nothing has “{query}”. A shorter part of the name may.',
    one: '1 result',
    many: '{count} results',
    first: 'the first {count} results',
    kinds: { section: 'Section', term: 'Glossary', symbol: 'Definition', file: 'Source file' },
  },
  term: {
    entry: 'In the glossary',
    defined: 'Told in {chapter}',
    close: 'Close',
    failed: 'The glossary did not load; the link leads to it.',
  },
  lines: {
    chosen: 'Line {line}: {text}',
    range: 'Lines {first} to {last}',
    keys: 'Arrow keys choose, with Shift more than one. Enter copies the address, Escape ends.',
    copyLink: 'copy link',
    copied: 'The address is copied.',
    refused: 'The browser refused; the address bar has it.',
    ended: 'No line chosen.',
  },
  keys: {
    title: 'Keyboard',
    close: 'Close',
    single: 'Keys without Ctrl',
    singleOff: 'Off where a voice or a habit sets them off by mistake. Ctrl+K stays.',
    unkept: 'Your browser keeps nothing for this site: the choice lasts as long as this page.',
    rows: [
      ['/', 'Search, as Ctrl+K'],
      ['n', 'Next chapter'],
      ['p', 'Previous chapter'],
      ['c', 'Contents of this chapter'],
      ['h', 'Contents of the course'],
      ['t', 'Light or dark'],
      ['y', 'Copy the code in view'],
      ['l', 'Link to a line of the listing in view'],
      ['?', 'This sheet'],
      ['Ctrl+Enter', 'Run the cell that has the focus'],
      ['Esc', 'Close what is open'],
    ],
  },
} as const

export type FindingWords = typeof finding
