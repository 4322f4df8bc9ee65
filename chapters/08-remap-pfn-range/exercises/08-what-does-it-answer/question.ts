// SPDX-License-Identifier: MIT
//
// A program calls the driver of this chapter; the model of the driver answers. Each errno is a wrong answer too; where it
// is the right one it counts as right.
import { errnoName, hex, oneOf, type Question, type Rng } from 'contiguous/exercise/question'
import { MiB } from 'contiguous/lib/units'
import { openCmaMem, probeCmaMem } from 'contiguous/machine/cma_mem'
import { CMA_MEM, CMA_MEM_MAP_PFN, cmaMemStruct } from 'contiguous/machine/cma_mem_abi'
import type { CmaMem } from 'contiguous/machine/cma_mem_buffer'
import { cmaMemIoctl } from 'contiguous/machine/cma_mem_ioctl'
import { createMisc } from 'contiguous/machine/misc'
import { startSystem, type System } from 'contiguous/machine/system'
import { createDeviceNode, openFile } from 'contiguous/mm/file'
import { do_mmap } from 'contiguous/mm/mmap'
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from 'contiguous/mm/mmap_flags'
import { do_munmap } from 'contiguous/mm/mmap_unmap'
import { createProcess } from 'contiguous/mm/mm_struct'
import { userWrite } from 'contiguous/mm/uaccess'
import type { File, MmStruct } from 'contiguous/mm/vm'
import { parseDts } from 'contiguous/of/dts_parser'

const PAGE = 4096

/** A call, as a line of C and as the model makes it. */
interface Call {
  readonly c: string
  readonly run: (program: Program) => number
}

/** A program with two open files of the device and one of /dev/null. */
interface Program {
  readonly system: System
  readonly cm: CmaMem
  readonly mm: MmStruct
  readonly arg: number
  readonly files: ReadonlyMap<number, File>
  map: number
}

export function ask(rng: Rng): Question {
  const pages = 3 + rng.next(20)
  const limit = oneOf(rng, [1, 2, 4])
  const calls = oneOf(rng, stories(rng, pages, limit))
  const ret = play(limit, calls)
  return {
    text: textOf(limit, calls),
    kind: 'errno',
    read: 'Nine commands',
    answer: errnoName(ret > 0 ? 0 : ret),
    wrong: WRONG.map(([answer, text]) => ({ rule: `ex-answer-${answer.replace('-', '').toLowerCase()}`, answer, text })),
  }
}

const WRONG: readonly [string, string][] = [
  ['0', '0 says that it was done; here something is asked for that cannot be, and the driver looks'],
  ['-EINVAL', '-EINVAL is for what makes no sense by itself: a size, a flag, a way to map, a descriptor of another device'],
  ['-ENXIO', '-ENXIO is for bytes or pages that a buffer does not have; these are inside, or there is no buffer'],
  ['-EBUSY', '-EBUSY is for a file that holds a buffer already, or that is still mapped'],
  ['-ENOENT', '-ENOENT is for a file that holds no buffer when one is needed'],
  ['-ENOSPC', '-ENOSPC is for buffers that are together more than the limit'],
  ['-EPERM', '-EPERM is for an address without the privilege to know it'],
  ['-ENOTTY', '-ENOTTY is for a number that is none of the driver’s commands'],
]

// #region calls
const allocate = (fd: number, size: number, c = String(size)): Call => ({
  c: `ioctl(fd${fd}, CMA_MEM_ALLOCATE, &(struct cma_mem_allocate){ .size = ${c} });`,
  run: (program) => command(program, fd, CMA_MEM.ALLOCATE, cmaMemStruct('allocate', { size })),
})
const setMap = (fd: number, how: number): Call => ({
  c: `ioctl(fd${fd}, CMA_MEM_MAP, &(struct cma_mem_map){ .how = ${how === CMA_MEM_MAP_PFN ? 'CMA_MEM_MAP_PFN' : how} });`,
  run: (program) => command(program, fd, CMA_MEM.MAP, cmaMemStruct('map', { how })),
})
const connect = (fd: number, other: number): Call => ({
  c: `ioctl(fd${fd}, CMA_MEM_CONNECT, &(struct cma_mem_connect){ .fd = ${other === 9 ? 'null' : `fd${other}`} });`,
  run: (program) => command(program, fd, CMA_MEM.CONNECT, cmaMemStruct('connect', { fd: other })),
})
const flush = (fd: number, offset: number, length: number): Call => ({
  c: `ioctl(fd${fd}, CMA_MEM_CACHE_FLUSH, &(struct cma_mem_range){ ${offset}, ${length} });`,
  run: (program) => command(program, fd, CMA_MEM.CACHE_FLUSH, cmaMemStruct('range', { offset, length })),
})
const plain = (fd: number, name: 'UNMAP' | 'FREE' | 'GET_SIZE' | 'GET_TOTAL_SIZE' | 'GET_PHYS'): Call => ({
  c: `ioctl(fd${fd}, CMA_MEM_${name}${name === 'UNMAP' || name === 'FREE' ? '' : ', &answer'});`,
  run: (program) => command(program, fd, CMA_MEM[name], new Uint8Array()),
})
const physAsNobody = (fd: number): Call => ({
  c: `setuid(65534);\nioctl(fd${fd}, CMA_MEM_GET_PHYS, &answer);`,
  run: (program) => command(program, fd, CMA_MEM.GET_PHYS, new Uint8Array(), false),
})
const unknown = (fd: number, nr: number): Call => ({
  c: `ioctl(fd${fd}, _IO(0xbc, ${hex(nr)}));`,
  run: (program) => command(program, fd, 0xbc00 + nr, new Uint8Array()),
})
const map = (fd: number, pages: number, pgoff = 0, flags: number = MAP_SHARED): Call => ({
  c: `map = mmap(NULL, ${pages} * 4096, PROT_READ | PROT_WRITE, ${flags === MAP_SHARED ? 'MAP_SHARED' : 'MAP_PRIVATE'}, fd${fd}, ${pgoff} * 4096);`,
  run: (program) => {
    const request = { len: pages * PAGE, prot: PROT_READ | PROT_WRITE, flags, file: program.files.get(fd)!, pgoff }
    program.map = do_mmap(program.system.vm, program.mm, request)
    return program.map
  },
})
const unmap = (pages: number): Call => ({
  c: `munmap(map, ${pages} * 4096);`,
  run: ({ system, mm, map: at }) => do_munmap(system.vm, mm, at, pages * PAGE),
})
// #endregion calls

function stories(rng: Rng, pages: number, limit: number): Call[][] {
  const size = pages * PAGE - rng.next(PAGE)
  const most = limit * 256
  const inside = rng.next(pages)
  const first = allocate(1, size)
  return [
    [first, allocate(1, PAGE)],
    [first, plain(2, 'GET_SIZE')],
    [first, plain(1, 'FREE'), plain(1, 'GET_SIZE')],
    [first, map(1, pages), unmap(1), plain(1, 'FREE')],
    [first, map(1, pages), unmap(pages), plain(1, 'FREE')],
    [first, map(1, pages - inside, inside)],
    [first, map(1, pages - inside + 1, inside)],
    [first, setMap(1, CMA_MEM_MAP_PFN), map(1, 1, pages)],
    [first, plain(1, 'UNMAP'), map(1, 1)],
    [first, map(1, 1), plain(1, 'UNMAP')],
    [first, map(1, 1, 0, MAP_PRIVATE)],
    [first, setMap(1, 3)],
    [allocate(1, limit * MiB(1) + 1)],
    [allocate(1, (most - 2) * PAGE), allocate(2, 2 * PAGE + 1)],
    [allocate(1, (most - 2) * PAGE), allocate(2, PAGE + 1)],
    [first, connect(2, 1), plain(1, 'FREE'), map(2, pages)],
    [first, connect(1, 2)],
    [first, connect(2, 9)],
    [first, flush(1, inside * PAGE, (pages - inside) * PAGE)],
    [first, flush(1, inside * PAGE, (pages - inside) * PAGE + 1)],
    [plain(1, 'GET_TOTAL_SIZE')],
    [first, physAsNobody(1)],
    [first, unknown(1, 0x1a + rng.next(32))],
  ]
}

function command(program: Program, fd: number, cmd: number, bytes: Uint8Array, rawio = true): number {
  const { system, cm, mm, arg, files } = program
  if (bytes.length > 0) userWrite(system.vm, mm, arg, bytes)
  return cmaMemIoctl(cm, { mm, files, rawio }, files.get(fd)!, cmd, arg)
}

// What the last call says; those before it have succeeded.
function play(limit: number, calls: readonly Call[]): number {
  const { tree } = parseDts(
    `/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
	memory { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x10000000>; }; };`,
    'board.dts',
  )
  const system = startSystem({ tree: tree!, kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=16M' })
  const cm = probeCmaMem(system.dma, createMisc('6.12.117'), { limit: MiB(limit) }) as CmaMem
  const mm = createProcess(system.vm, 'program')
  const request = { len: PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS }
  const arg = do_mmap(system.vm, mm, request)
  const files = new Map<number, File>([
    [1, openCmaMem(cm) as File],
    [2, openCmaMem(cm) as File],
    [9, openFile(system.vm, createDeviceNode('/dev/null', {}))],
  ])
  const program: Program = { system, cm, mm, arg, files, map: 0 }
  return calls.map(({ run }) => run(program)).at(-1)!
}

function textOf(limit: number, calls: readonly Call[]): string {
  return [
    `The driver of this chapter is loaded with \`limit=${MiB(limit)}\` on a board with 16 MiB of CMA.`,
    'A program of root has opened `/dev/cma_mem` twice, as `fd1` and `fd2`, and `/dev/null` as `null`, each for reading and writing.',
    'Nobody else uses the device.',
    'It calls',
    '',
    '```c',
    ...calls.map(({ c }) => c),
    '```',
    '',
    'What is the errno of the last call, or 0 if it succeeds?',
  ].join('\n')
}
