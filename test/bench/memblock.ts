// SPDX-License-Identifier: MIT
//
// The model of memblock against Linux's own mm/memblock.c, built for user space (twins/memblock_peer.c): 199 calls a round
// over lists of about a hundred regions. Both add up what they found, and the sums must be equal.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMemblock,
  memblock_add,
  memblock_mark_nomap,
  memblock_phys_free,
  memblock_reserve,
} from '../../code/mm/memblock.ts'
import { memblock_phys_alloc_range } from '../../code/mm/memblock_find.ts'
import { partsOfKernelSource } from '../support/kernel_source.ts'
import type { BenchResult } from './measure.ts'

// The parts of Linux that the peer is built from.
const WANTED = [
  'mm/memblock.c',
  'include/linux',
  'tools/include',
  'tools/arch/x86/include',
  'tools/testing/memblock',
]

// The generator of the peer.
function sequence(): (below: number) => number {
  let state = 1
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) % below
  }
}

function oneRound(next: (below: number) => number): number {
  const memblock = createMemblock()
  let sum = 0
  memblock_add(memblock, 0x4000_0000, 0xc000_0000)
  for (let i = 0; i < 90; i++) {
    const base = 0x4000_0000 + next(0x8000) * 0x1_0000
    memblock_reserve(memblock, base, 0x1000 * (1 + next(12)))
  }
  for (let i = 0; i < 8; i++) memblock_mark_nomap(memblock, 0xc000_0000 + next(64) * 0x100_0000, 0x20_0000)
  for (let i = 0; i < 60; i++) {
    sum += memblock_phys_alloc_range(memblock, 0x1000 * (1 + next(40)), 0x1000, 0x4000_0000, 0x1_0000_0000)
  }
  for (let i = 0; i < 40; i++) {
    memblock_phys_free(memblock, 0x4000_0000 + next(0x8000) * 0x1_0000, 0x10_0000)
  }
  for (const { base, size, flags } of memblock.memory.regions) sum += base + size + flags
  for (const { base, size } of memblock.reserved.regions) sum += base + size
  return sum
}

// As tools/testing/memblock/Makefile does, without its sanitizers.
function buildPeer(tree: string, folder: string): string {
  mkdirSync(join(folder, 'linux'))
  mkdirSync(join(folder, 'asm'))
  copyFileSync(join(tree, 'include/linux/memblock.h'), join(folder, 'linux/memblock.h'))
  for (const header of ['asm.h', 'cmpxchg.h']) {
    copyFileSync(join(tree, 'tools/arch/x86/include/asm', header), join(folder, 'asm', header))
  }
  const include = [folder, join(tree, 'tools/testing/memblock'), join(tree, 'tools/include')]
  const program = join(folder, 'memblock_peer')
  execFileSync('gcc', [
    ...['-O2', '-w', '-DCONFIG_PHYS_ADDR_T_64BIT', '-include', 'stdbool.h'],
    ...include.map((path) => `-I${path}`),
    ...['-o', program, join(process.cwd(), 'test/bench/twins/memblock_peer.c'), join(tree, 'mm/memblock.c')],
  ])
  return program
}

const ROUNDS = 2000

/** Milliseconds of one side, and what it added up. */
interface Turn {
  readonly ms: number
  readonly sum: number
}

function ourTurn(): Turn {
  const next = sequence()
  const began = performance.now()
  let sum = 0
  for (let round = 0; round < ROUNDS; round++) sum = (sum + oneRound(next)) % 1_000_000_007
  return { ms: performance.now() - began, sum }
}

function peerTurn(program: string): Turn {
  const [ns, sum] = execFileSync(program, [String(ROUNDS)], { encoding: 'utf8' })
    .split(' ')
    .map(Number)
  return { ms: ns! / 1e6, sum: sum! }
}

export async function memblockBench(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-bench-'))
  try {
    const program = buildPeer(await partsOfKernelSource(WANTED), folder)
    ourTurn()
    const turns = Array.from({ length: 9 }, () => ({ ours: ourTurn(), peer: peerTurn(program) }))
    const differs = turns.find(({ ours, peer }) => ours.sum !== peer.sum)
    if (differs)
      throw new Error(`memblock: the model adds up to ${differs.ours.sum}, Linux to ${differs.peer.sum}`)
    return {
      what: '199 calls over a hundred regions, against Linux’s own memblock.c at -O2',
      limit: 3,
      ours: turns.map(({ ours }) => ours.ms),
      against: turns.map(({ peer }) => peer.ms),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
