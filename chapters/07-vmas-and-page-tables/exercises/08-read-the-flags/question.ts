// SPDX-License-Identifier: MIT
//
// The VmFlags line of a coherent buffer's mapping, for files opened one way or the other and a piece of advice.
import { oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_mmap_coherent } from 'contiguous/dma/dma_mmap'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { do_madvise, MADV_DODUMP, MADV_DONTFORK, MADV_RANDOM, MADV_SEQUENTIAL } from 'contiguous/mm/madvise'
import { mlock } from 'contiguous/mm/mlock'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { show_smap_vma_flags } from 'contiguous/mm/smaps'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const PAGE = 4096
const ADVICE = {
  MADV_DONTFORK,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_DODUMP,
} as const
const CALLS = ['MADV_DONTFORK', 'MADV_RANDOM', 'MADV_SEQUENTIAL', 'MADV_DODUMP', 'mlock'] as const

interface Drawn {
  readonly readOnly: boolean
  readonly write: boolean
  readonly call: (typeof CALLS)[number]
}

export function ask(rng: Rng): Question {
  const readOnly = rng.next(2) === 0
  const drawn: Drawn = { readOnly, write: !readOnly && rng.next(2) === 0, call: oneOf(rng, CALLS) }
  const pages = 2 + rng.next(30)
  const answer = line(drawn, pages)
  const without = (...words: string[]): string =>
    answer
      .split(' ')
      .filter((word) => !words.includes(word))
      .join(' ')
  return {
    text: textOf(drawn, pages),
    kind: 'line',
    read: 'Frames that nobody counts',
    answer,
    wrong: [
      {
        rule: 'ex-four-forgotten',
        answer: without('pf', 'io', 'de', 'dd'),
        text: 'the driver remapped this: four bits come from there',
      },
      {
        rule: 'ex-may-forgotten',
        answer: without('mr', 'mw', 'me', 'ms'),
        text: 'beside what the program may do there stands what it may be given later',
      },
      {
        rule: 'ex-locked',
        answer: answer.replace('io ', 'lo io '),
        text: 'nothing of this can be locked: mlock() returns 0 and leaves such a VMA as it is',
      },
      {
        rule: 'ex-dump-cleared',
        answer: without('dd'),
        text: 'what a driver remapped stays out of core dumps, whatever the program advises',
      },
    ],
  }
}

function line({ readOnly, write, call }: Drawn, pages: number): string {
  const { tree } = parseDts(
    '/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; ' +
      'memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x4000000>; }; };',
    'board.dts',
  )
  const { vm, dma } = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=4M' })
  const dev = createDevice('camera', null)
  const size = pages * PAGE
  const { cpu_addr, dma_handle } = dma_alloc_coherent(dma, dev, size, GFP_KERNEL)!
  const node = createDeviceNode('/dev/camera', {
    mmap: (_vm, _file, vma) => dma_mmap_coherent(dma, dev, vma, cpu_addr, dma_handle, size),
  })
  const mm = createProcess(vm, 'viewer')
  const file = openFile(vm, node, readOnly ? FMODE_READ : FMODE_READ | FMODE_WRITE)
  const prot = write ? PROT_READ | PROT_WRITE : PROT_READ
  const va = do_mmap(vm, mm, { len: size, prot, flags: MAP_SHARED, file })
  if (call === 'mlock') mlock(vm, mm, va, size)
  else do_madvise(vm, mm, va, size, ADVICE[call])
  return show_smap_vma_flags(vm, mm.mmap[0]!).trimEnd()
}

function textOf({ readOnly, write, call }: Drawn, pages: number): string {
  return [
    `A driver has a coherent buffer of ${pages} pages, and its \`mmap\` is one call of \`dma_mmap_coherent()\`.`,
    'A program on 6.12 does this, and does not look at what the last line returns:',
    '',
    '```c',
    `fd = open("/dev/camera", ${readOnly ? 'O_RDONLY' : 'O_RDWR'});`,
    `p = mmap(NULL, ${pages * PAGE}, ${write ? 'PROT_READ | PROT_WRITE' : 'PROT_READ'}, MAP_SHARED, fd, 0);`,
    call === 'mlock' ? `mlock(p, ${pages * PAGE});` : `madvise(p, ${pages * PAGE}, ${call});`,
    '```',
    '',
    'The words are, in the order of their bits: `rd wr ex sh mr mw me ms` for what is allowed and what may be, `pf` bare frames, `lo` locked, `io`, `sr` read in sequence, `rr` at random, `dc` not for children, `de` may not grow, `dd` not dumped.',
    'Which line of `/proc/self/smaps` describes the mapping? Begin with `VmFlags:`.',
  ].join('\n')
}
