// SPDX-License-Identifier: MIT
//
// The words of the page-frame movie (site/widgets/movie/), in English. The page loads them with the movie's script; frame 0
// and what stands around it are written with them when the site is built. `{name}` is where a value goes.
import type { StepKind } from '../widgets/movie/film_types.ts'
import type { PageState } from '../widgets/movie/runs.ts'

export const enMovie = {
  title: 'The page-frame movie',
  link: 'The page-frame movie: a trace of the model, of a kernel or of your board, page by page',
  description:
    'A trace of cma_alloc(), played page frame by page frame: what was isolated, collected, moved, given up, taken.',
  intro: [
    'Below is one request for 32 MiB on a board whose CMA area holds pages of a program. One of them is held by a pipe and will not move.',
    'A row is 256 page frames. What stands in the picture is what the lines of the trace say, and no more; the line of each step stands below it.',
  ],
  from: 'Chapters <a href="/11-cma-alloc/">11</a>, <a href="/12-migration-and-reclaim/">12</a> and <a href="/13-watching-it-happen/">13</a> tell the steps one by one.',
  samplesHeading: 'Two traces of the same request',
  samples: {
    model: 'as the model makes it',
    recorded: 'as Linux 6.12.117 recorded it',
  },
  samplesNote:
    'They show the same pages, step for step; a test holds them against each other. Both are plain text, and play above.',
  ownHeading: 'A trace of your board',
  own: 'The text of <code>/sys/kernel/tracing/trace</code>, of <code>trace_pipe</code>, or of <code>trace-cmd report</code> plays above as well: drop the file on the picture, choose it, or paste it. It does not leave this page. In a terminal <code>npx contig trace</code> reads the same file.',
  record: 'To record one, as root on the board:',
  commands: [
    'cd /sys/kernel/tracing',
    'echo cma:* page_isolation:test_pages_isolated migrate:mm_migrate_pages compaction:mm_compaction_isolate_migratepages > set_event',
    'cat trace > /tmp/trace.txt      # after the allocation',
  ],
  figure: 'Page frames of the area {area}, from {start} to {end}, a row for each {row}.',
  unnamedArea: 'without a name',
  states: {
    searched: 'looked at, nothing to move',
    collected: 'collected, about to move',
    'partly-collected': 'some of these collected',
    moved: 'emptied: its page moved away',
    'partly-moved': 'some of these emptied',
    stuck: 'collected, would not move',
    held: 'in the way',
    taken: 'taken by the request',
    freed: 'given back',
  } satisfies Record<PageState, string>,
  range: 'isolated: the place that is tried',
  counts: { tries: 'places tried', moved: 'pages moved', dropped: 'reclaimed', failed: 'stayed' },
  steps: {
    ask: '{task} asks for {count} page frames in one piece, beginning at a multiple of {align}.',
    try: 'Place {tries}: page frames {start} to {end}. Their pageblocks are isolated, so nobody gets a page there now.',
    search: 'From {start} to {end} there is nothing to move.',
    collect: '{taken} pages, {start} to {end}, are taken off their lists. They are about to move.',
    'collect-some': 'Of {start} to {end}, {pages} page frames, {taken} pages are taken off their lists.',
    move: '{moved} pages have moved to other page frames, contents and all; {start} to {end} is empty of them.',
    'move-untold':
      '{moved} pages have moved. From where, this trace does not say: it lacks mm_compaction_isolate_migratepages.',
    stuck: '{moved} pages moved, {failed} would not. It is tried again, five times at most.',
    free: 'Every page frame from {start} to {end} is free.',
    held: 'Page frame {fin} did not come free: somebody holds its page.',
    busy: '{start} to {end} is busy. Isolation is undone, and the search steps on.',
    take: 'The {count} page frames from {start} to {end} are taken.',
    refuse: 'The request fails{errno}. No place would do.',
    release: '{task} gives {start} to {end} back.',
    open: 'The trace has no end of this request of {count} page frames: more than the area has, or the trace stops before.',
  } satisfies Record<StepKind, string>,
  dropped: ' {dropped} more were given up without a copy: clean pages of files.',
  errno: ' with {errno}',
  line: 'line {line} of the trace',
  area: 'CMA area',
  open: 'Open a trace…',
  cancel: 'Stop reading',
  reading: 'Reading {name}, {size} MiB.',
  progress: 'How much has been read',
  stopped: 'Stopped. {name} was not read to its end, and the picture is the one from before.',
  done: '{name}: {lines} lines; {kept} events are of the kinds that are played, {others} are others.',
  doneLost: ' The kernel lost {lost} events: it had no room for them.',
  doneCut: ' The last line has no end: it may have been cut.',
  doneUnread:
    ' Left out, because printed in no way known here: {unread}; the first is line {line}, “{text}”.',
  doneFrames: ' At most {frames} pictures are shown.',
  doneArea: ' Of {count} areas {area} is shown.',
  doneNowhere: ' No event names a page frame, so there is nothing to draw.',
  doneLimit: ' Reading ended at line {line}: {kept} events are as many as are played.',
  problems: {
    empty: '{name} is empty. Copy /sys/kernel/tracing/trace with cat: a tool that asks for its size gets 0.',
    'trace.dat':
      '{name} is a trace.dat of trace-cmd, which is no text. Run trace-cmd report > trace.txt, and open that.',
    gzip: '{name} is compressed. Unpack it with gunzip first.',
    binary: '{name} is not text, and holds no trace. Wanted: the text of /sys/kernel/tracing/trace.',
    strange: '{name} is no trace: {lines} lines, and none is of an event. Line {line} is “{text}”. {want}',
    none: '{name} is a trace, and no event in it is of cma_alloc; it has {names}. {want}',
    unread:
      '{name} has events of cma_alloc, but printed in no way known here; line {line} is “{text}”. {want}',
    failed: '{name} could not be read: {why}.',
  },
  /** Of a trace that a widget of other events was given. */
  missing: {
    dma: {
      none: '{name} is a trace, and no event in it is one that this picture plays; it has {names}. {want}',
      unread: '{name} has such events, but printed in no way known here; line {line} is “{text}”. {want}',
      want: 'It plays dma_alloc, dma_map_page, dma_map_sg, dma_sync_single_… and what undoes them, which 6.12 has and 6.1 has not.',
    },
  },
  want: 'Record with the events of cma, page_isolation, migrate and compaction.',
  pasted: 'The pasted text',
} as const

export type MovieText = typeof enMovie
