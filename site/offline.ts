// SPDX-License-Identifier: MIT
//
// The last program of `contig build`: `node dist/offline.js <folder>` makes a built folder readable offline.
import { resolve } from 'node:path'
import { writeWorker } from './offline/write_worker.ts'

const { first, later } = await writeWorker(resolve(process.argv[2] ?? '_site'))
const told = ({ files, bytes }: typeof first): string => `${files} files, ${(bytes / 1e6).toFixed(1)} MB`
process.stdout.write(`offline: ${told(first)} at once; ${told(later)} in the background\n`)
