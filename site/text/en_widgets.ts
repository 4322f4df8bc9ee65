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
    openTrace: 'Open a trace…',
    model: 'Back to the model',
    reading: 'Reading {name}.',
    pasted: 'the pasted text',
    unread: '{name} could not be shown: {why}.',
    notTraced:
      'This picture plays no traces. The map of chapter 1, the bitmap of chapter 11 and the page-frame movie play those of cma_alloc(), the addresses of chapter 5 those of the DMA API.',
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
    ofModel: 'as the model has it',
    traced:
      'The map goes to its page frames: shaded is what the step is about, filled what a request has taken. The colours below are the model’s.',
    noMap: 'There is no map to show it on.',
    outside:
      'Its page frames, {first} to {last}, are not all on this map, which has {from} to {to}; it stays as it is.',
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
    'cache-lines': {
      said: {
        start: '{lines} lines of memory, none of them in the cache. The device does not look into the cache.',
        startCoherent:
          '{lines} lines of memory, none of them in the cache. The device looks into the cache first.',
        cpuWrites:
          'The processor writes {text}. It goes into the cache alone: the line is dirty, and RAM is behind.',
        cpuReads: 'The processor reads {text}.',
        cpuReadsStale: 'The processor reads {text}: what its clean line has, and not what RAM has by now.',
        deviceWrites: 'The device writes {text} to RAM. A line that the cache has of it does not change.',
        deviceWritesCoherent: 'The device writes {text}, and the lines that the cache has of it go.',
        deviceReads: 'The device reads {text}.',
        deviceReadsStale: 'The device reads {text} from RAM: what the processor wrote is still in the cache.',
        forDevice: 'The device may have it, {direction}: the kernel does {ops} on the lines.',
        forDeviceNothing: 'The device may have it, {direction}: there is nothing to do.',
        forCpu: 'The processor has it back, {direction}: the kernel does {ops} on the lines.',
        forCpuNothing: 'The processor has it back, {direction}: there is nothing to do.',
        prefetch: 'The cache fetches line {line} by itself.',
        evict: 'The cache needs room, and line {line} leaves it; what was dirty goes to RAM.',
      },
      labels: {
        line: 'line',
        cache: 'cache',
        ram: 'RAM',
        absent: 'not there',
        clean: 'clean',
        dirty: 'dirty',
        stale: 'stale',
      },
    },
    'page-walk': {
      said: {
        startMemory:
          'A program has written to {va}, a page of its own. The lowest twelve bits are the byte in the page.',
        startCoherent:
          'The pointer is {va}, into a buffer of the camera. The lowest twelve bits are the byte in the page.',
        level: '{name}: of the table at {table} only entry {index} is read. The next table lies at {next}.',
        last: 'PTE: entry {index} of the table at {table} names a page of memory, at {next}.',
        attributes: 'The other bits of the entry are about the access. The memory type is {type}.',
        physical: 'Page frame {frame} and byte {offset} of it: the pointer means physical address {pa}.',
      },
      labels: { table: 'table', offset: 'byte', physical: 'physical address', pointer: 'pointer' },
    },
    'three-addresses': {
      said: {
        gets: '{device}: the driver gets a buffer and reaches byte {byte} of it by the pointer {cpu}.',
        phys: 'The kernel has mapped that to a place in RAM: physical address {phys}. Nobody hands this one to the driver.',
        dmaBelow: 'For the bus of the {device} every address is {shift} less: the byte is at {dma}.',
        dmaAbove: 'For the bus of the {device} every address is {shift} more: the byte is at {dma}.',
        dmaSame: 'The {device} has no dma-ranges of its own: on its bus the byte is at {dma}, as in RAM.',
        traceAlloc: '{device} gets {size} bytes. The pointer is {cpu}; on its bus they are at {dma}.',
        traceHashed: '{device} gets {size} bytes at {dma} on its bus. The pointer is printed hashed: {cpu}.',
        tracePrinted: '{device} gets {size} bytes at {dma} on its bus. The pointer is printed as {cpu}.',
        traceUntold: '{device} gets {size} bytes at {dma} on its bus. The pointer is not printed.',
        traceNoPointer: '{device} gets {size} bytes at {dma} on its bus, and no pointer to them.',
        traceNone: '{device} asks for {size} bytes and gets nothing.',
        traceSame: '{device} maps {size} bytes at {phys}. On its bus they are at {dma} too.',
        traceBelow: '{device} maps {size} bytes at {phys}. On its bus they are at {dma}, {shift} less.',
        traceAbove: '{device} maps {size} bytes at {phys}. On its bus they are at {dma}, {shift} more.',
        traceBounced: '{device} maps {size} bytes at {phys}. They are bounced: it gets a copy, at {dma}.',
        traceNotMapped:
          '{device} maps {size} bytes at {phys}, and it fails: they have no address on its bus.',
        traceList: '{device} maps a list of {pieces} pieces. The first, at {phys}, is at {dma} on its bus.',
        traceForCpu: 'The processor may look at the {size} bytes that {device} has at {dma}.',
        traceForDevice: '{device} may have the {size} bytes at {dma} again.',
        traceFreed: '{device} gives the {size} bytes at {dma} back.',
        traceUnmapped: 'The {size} bytes at {dma} are unmapped: {device} may not have them any more.',
        back: 'From {dma} the kernel finds the way back to {again}; from the pointer there is no such way.',
      },
      labels: { cpu: 'the driver: cpu_addr', phys: 'RAM: physical address', dma: 'on its bus: dma_handle' },
    },
    'calls-over-time': {
      said: {
        start: 'A program has opened /dev/cma_mem. There is no buffer yet.',
        allocated: 'ALLOCATE gives {answer}: {used} pages are in use, and no page table knows of them.',
        refused: '{call} gives {answer}.',
        mapped: 'mmap gives an address: every page of the buffer is in the page table now.',
        cut: 'The middle page is cut out, which makes two mappings of one. The page itself stays.',
        forked: 'The child has the same mappings again: {mappings} of them.',
        busy: 'FREE gives {answer}, -EBUSY: there are {mappings} mappings.',
        freed: 'FREE gives {answer}: the pages are given back.',
        ended: 'It ends, and its mappings with it. {used} pages are still in use: somebody else maps them.',
        endedAll: 'It ends, and with the last mapping the buffer goes.',
        inUse: 'The module cannot be removed: {answer}.',
        removed: 'The module is removed.',
      },
      labels: {
        callers: 'program',
        child: 'child',
        root: 'root',
        answer: 'gives',
        mappings: 'maps',
        gone: '–',
        used: 'pages',
        pages: 'Mappings of each page:',
        none: 'There is no buffer.',
      },
    },
    'cma-bitmap': {
      said: {
        start: 'The area {name} begins at page frame {pfn} and has {pages} pages, and {bits} bits for them.',
        trace:
          'A trace of area {name}, a bit for each page from {pfn} on. What was set before, it does not tell.',
        traceAsks: '{name}, which is {task}, asks for {pages} pages that begin at a multiple of {unit}.',
        traceRefused: '{name} gets nothing: {errno}.',
        traceNothing: '{name} gets nothing.',
        traceBusy: 'alloc_contig_range() gives {ret}. The bits are cleared; one place further.',
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
