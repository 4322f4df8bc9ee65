// SPDX-License-Identifier: MIT
//
// Four projects, cheapest first. `unit` needs Node alone; `book` weaves and runs the chapters;
// `site` drives Debian's Chromium over the built pages; `board` boots real kernels in QEMU.
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const code = fileURLToPath(new URL('./code', import.meta.url))
const resolve = { alias: [{ find: /^contiguous\/(.*)$/, replacement: `${code}/$1.ts` }] }

// Set by `npm run labs` and `npm run mutants`: every lab on every kernel, every mutant, and what boots the debug kernel.
const LONG = process.env['CONTIG_LONG'] === '1'
const LONG_TESTS = [
  'conformance/quoted',
  'kernel/boards',
  'kernel/labs_debian',
  'kernel/labs_own',
  'kernel/observation_labs',
  'kernel/planted',
]

const unit = ['lib', 'arch', 'mm', 'of', 'dma', 'machine', 'exercise', 'lab', 'cli', 'finding', 'house']

export default defineConfig({
  test: {
    // Vitest leaves one processor to itself, which of two is half. One file more than there are takes longer: boards and
    // compilers fill them.
    maxWorkers: availableParallelism(),
    reporters: ['default', './test/support/skip_reporter.ts'],
    projects: [
      {
        resolve,
        test: { name: 'unit', include: unit.map((room) => `test/${room}/**/*.test.ts`), testTimeout: 60_000 },
      },
      {
        resolve,
        test: { name: 'book', include: ['test/book/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        resolve,
        test: {
          name: 'site',
          include: ['test/site/**/*.test.ts'],
          globalSetup: ['test/support/build_site.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        test: {
          name: 'board',
          include: ['test/kernel/**/*.test.ts', 'test/conformance/**/*.test.ts'],
          // Whole tables of labs, and the fuzzer's own tests, are for `npm run labs` and `npm run mutants`.
          exclude: LONG ? [] : LONG_TESTS.map((name) => `test/${name}.test.ts`),
          globalSetup: ['test/support/build_kernels.ts'],
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
})
