// SPDX-License-Identifier: MIT
//
// What mmap() of a device's file returns, for lengths and offsets around the end of the buffer and files opened one way or
// the other.
import { errnoName, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { dma_mmap_coherent } from 'contiguous/dma/dma_mmap'
import { dma_alloc_coherent } from 'contiguous/dma/mapping'
import { startSystem } from 'contiguous/machine/system'
import { createDeviceNode, FMODE_READ, FMODE_WRITE, openFile } from 'contiguous/mm/file'
import { GFP_KERNEL } from 'contiguous/mm/gfp'
import { createProcess } from 'contiguous/mm/mm_struct'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { parseDts } from 'contiguous/of/dts_parser'
import { createDevice } from 'contiguous/of/reserved_mem'

const PAGE = 4096

interface Drawn {
  readonly pages: number
  readonly bytes: number
  readonly pgoff: number
  readonly readOnly: boolean
  readonly write: boolean
}

export function ask(rng: Rng): Question {
  const pages = 4 + rng.next(60)
  const pgoff = rng.next(pages)
  const beyond = rng.next(4) !== 0
  const readOnly = rng.next(4) === 0
  const left = (pages - pgoff) * PAGE
  const bytes = left + (beyond ? 1 + rng.next(PAGE) : -rng.next(PAGE))
  const drawn: Drawn = { pages, bytes, pgoff, readOnly, write: oneOf(rng, [true, true, false]) }
  return {
    text: textOf(drawn),
    kind: 'errno',
    read: 'Inside the buffer or not at all',
    answer: said(drawn),
    wrong: [
      {
        rule: 'ex-einval',
        answer: '-EINVAL',
        text: 'that is what vm_iomap_memory() says; and an offset that is a multiple of the page size passes the system call',
      },
      {
        rule: 'ex-enomem',
        answer: '-ENOMEM',
        text: 'nothing is allocated here but page tables, and there is memory enough for those',
      },
    ],
  }
}

function said({ pages, bytes, pgoff, readOnly, write }: Drawn): string {
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
  const file = openFile(vm, node, readOnly ? FMODE_READ : FMODE_READ | FMODE_WRITE)
  const prot = write ? PROT_READ | PROT_WRITE : PROT_READ
  const at = do_mmap(vm, createProcess(vm, 'viewer'), { len: bytes, prot, flags: MAP_SHARED, file, pgoff })
  return errnoName(Math.min(at, 0))
}

function textOf({ pages, bytes, pgoff, readOnly, write }: Drawn): string {
  return [
    `A driver has a coherent buffer of ${pages} pages of 4 KiB, ${pages * PAGE} bytes, and its \`mmap\` is one call of \`dma_mmap_coherent()\`.`,
    'A program opens the file and maps:',
    '',
    '```c',
    `fd = open("/dev/camera", ${readOnly ? 'O_RDONLY' : 'O_RDWR'});`,
    `p = mmap(NULL, ${bytes}, ${write ? 'PROT_READ | PROT_WRITE' : 'PROT_READ'}, MAP_SHARED, fd, ${pgoff * PAGE});`,
    '```',
    '',
    'What does the kernel return on 6.12: 0 for an address, or which error?',
  ].join('\n')
}
