// SPDX-License-Identifier: MIT
//
// Which frame a pointer reaches after a hole was cut into a mapping and what is behind the hole was moved.
import { hex, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_mmap_coherent } from 'contiguous/dma/dma_mmap'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { do_munmap } from 'contiguous/mm/mmap_unmap'
import { mremap, MREMAP_FIXED, MREMAP_MAYMOVE } from 'contiguous/mm/mremap'
import { pagemap } from 'contiguous/mm/smaps'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const PAGE = 4096
const BUFFER_PAGES = 64

interface Drawn {
  /** Where the mapping begins in the buffer, its pages, the page that is cut out, the page of the moved part that is read. */
  readonly pgoff: number
  readonly pages: number
  readonly hole: number
  readonly read: number
}

export function ask(rng: Rng): Question {
  const pages = 8 + rng.next(8)
  const hole = 2 + rng.next(pages - 5)
  const drawn: Drawn = { pgoff: 3 + rng.next(40), pages, hole, read: 1 + rng.next(pages - hole - 2) }
  const { first, pfn } = run(drawn)
  const wrong = (change: number): string => hex(pfn + change)
  return {
    text: textOf(drawn, first),
    kind: 'hex',
    read: 'Cut, moved, inherited',
    answer: hex(pfn),
    wrong: [
      {
        rule: 'ex-counted-from-the-hole',
        answer: wrong(-hole - 1),
        text: 'the part that is left does not begin again at the mapping’s offset; its own is that of its first page',
      },
      {
        rule: 'ex-hole-not-counted',
        answer: wrong(-1),
        text: 'the page that was cut out is gone from the program, not from the buffer',
      },
      {
        rule: 'ex-offset-ignored',
        answer: wrong(-drawn.pgoff),
        text: 'the mapping does not begin at the first page of the buffer',
      },
    ],
  }
}

const NEW_PLACE = 0x7f_0000_0000

// The model does what the program does.
function run({ pgoff, pages, hole, read }: Drawn): { first: number; pfn: number } {
  const { tree } = parseDts(
    '/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; ' +
      'memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; }; };',
    'board.dts',
  )
  const { vm, dma } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=4M' })
  const dev = createDevice('camera', null)
  const size = BUFFER_PAGES * PAGE
  const { cpu_addr, dma_handle } = dma_alloc_coherent(dma, dev, size, GFP_KERNEL)!
  const node = createDeviceNode('/dev/camera', {
    mmap: (_vm, _file, vma) => dma_mmap_coherent(dma, dev, vma, cpu_addr, dma_handle, size),
  })
  const mm = createProcess(vm, 'viewer')
  const prot = PROT_READ | PROT_WRITE
  const va = do_mmap(vm, mm, { len: pages * PAGE, prot, flags: MAP_SHARED, file: openFile(vm, node), pgoff })
  do_munmap(vm, mm, va + hole * PAGE, PAGE)
  const rest = (pages - hole - 1) * PAGE
  mremap(vm, mm, va + (hole + 1) * PAGE, rest, rest, MREMAP_MAYMOVE | MREMAP_FIXED, NEW_PLACE)
  const found = pagemap(vm, mm).find((entry) => entry.va === NEW_PLACE + read * PAGE)
  return { first: dma_handle / PAGE, pfn: found?.pfn ?? 0 }
}

function textOf({ pgoff, pages, hole, read }: Drawn, first: number): string {
  const rest = pages - hole - 1
  return [
    `A coherent buffer of ${BUFFER_PAGES} pages begins at page frame ${hex(first)}; pages have 4 KiB, and the driver maps with \`dma_mmap_coherent()\`.`,
    'A program does this:',
    '',
    '```c',
    `p = mmap(NULL, ${pages} * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, ${pgoff} * 4096);`,
    `munmap(p + ${hole} * 4096, 4096);`,
    `q = mremap(p + ${hole + 1} * 4096, ${rest} * 4096, ${rest} * 4096,`,
    `           MREMAP_MAYMOVE | MREMAP_FIXED, (void *)${hex(NEW_PLACE)});`,
    `value = q[${read} * 4096];	/* of type char */`,
    '```',
    '',
    'Which page frame does the last line read?',
  ].join('\n')
}
