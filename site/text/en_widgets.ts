// SPDX-License-Identifier: MIT
//
// The English of the widgets: the controls, and of each kind what its frames say and what stands in its pictures. It is
// no part of en.ts, because a page gets these words when a widget wakes (site/widgets/text.ts). `{name}` is a gap. A
// sentence has two lines to stand on, three on a phone: about 110 characters.

export const enWidgets = {
  controls: {
    back: 'Back',
    forward: 'Forward',
    play: 'Play',
    pause: 'Pause',
    step: 'Step',
    count: '{at} of {count}',
    failed: 'The model could not be run: {why}',
    unreachable: 'it could not be loaded; is the page still served?',
  },
  /** The map of physical memory. Its line has three parts or five, with a middle dot between them. */
  map: {
    start: '{gib} GiB, {pages} page frames. A point of this picture stands for {each} of them.',
    page: 'Page frame {pfn}, at {address}',
    zone: 'zone {zone}',
    pageblock: 'pageblock {migratetype}',
    nearer: 'Nearer',
    farther: 'Farther',
    whole: 'All of it',
    keys: 'Map of page frames. Arrow keys go from frame to frame, plus and minus zoom, Home and End are the first and the last frame.',
    kinds: {
      none: 'no memory',
      nomap: 'reserved, not mapped',
      reserved: 'reserved at boot',
      free: 'free',
      program: 'of programs',
      kernel: 'of the kernel',
      cmaFree: 'CMA, free',
      cmaTaken: 'CMA, taken',
    },
  },
  kinds: {
    'buddy-lists': {
      said: {
        start: '{pages} pages are free; the lists have {blocks} of their blocks.',
        asks: '{name} asks for a block of order {order} with {gfp}: the lists of {type} will do.',
        found:
          'The first block that is large enough begins at page {at}, of order {order}, type {type}. It leaves its list.',
        split: 'Twice what is wanted: the upper half, from page {at} on, goes on the list of order {order}.',
        moved: 'The block at page {at}, of order {order}, goes on a list of {type}.',
        gets: '{name} gets the block of order {order} at page {at}.',
        none: '{name} gets nothing: no list has a block of order {order}, or one to cut it from.',
        back: '{name} gives the block of order {order} at page {at} back.',
        buddy: 'The buddy at page {at} is free as a whole: it leaves the list of order {order}.',
        whole:
          'No further buddy is free: the block at page {at} goes on the list of order {order}, type {type}.',
      },
      labels: { order: 'order', lists: 'Free blocks by their first page', none: 'none' },
    },
    'cma-bitmap': {
      said: {
        start: 'The area {name} begins at page frame {pfn} and has {pages} pages, and {bits} bits for them.',
        asks: '{name} asks for {pages} pages from a multiple of 2^{align} = {unit} on. The search begins at bit 0.',
        place:
          'Bits {bit} to {last} are clear, the lowest that will do. They are set, and the pages are asked for.',
        busy: 'alloc_contig_range() gives {ret}: the page at bit {stayed} stays. The bits are cleared; one place further.',
        more: 'So it goes for {places} more places, the last of them at bit {bit}; the page at bit {stayed} stays.',
        gets: 'alloc_contig_range() gives 0. {name} has {pages} pages from bit {bit} on, page frame {pfn}.',
        none: 'No further place is long enough before the area ends: {name} gets nothing.',
        released: '{name} gives its {pages} pages back: the bits from {bit} on are clear.',
        hold: 'Somebody takes a reference of the page at bit {bit}.',
        drop: 'The reference of the page at bit {bit} is dropped.',
      },
      labels: {
        boot: 'boot',
        busy: '-EBUSY',
        tried: 'tried',
        held: 'Pages that somebody holds',
        bits: 'Bits',
        set: 'set',
        none: 'none',
      },
    },
  },
} as const

export type WidgetText = typeof enWidgets
