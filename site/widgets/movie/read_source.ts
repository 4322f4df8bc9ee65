// SPDX-License-Identifier: MIT
//
// Reads a file, an address or a pasted text piece by piece, and cuts the films. Runs in the worker; in Node for tests.
import { cutFilms } from './film.ts'
import { PLAYED } from './film_fields.ts'
import type { Film, KeptEvent } from './film_types.ts'
import { type Limits, LIMITS, openTraceReader, type TraceReading } from './trace_reader.ts'

export type TraceSource = { readonly file: Blob } | { readonly url: string }

/** What kinds of file are told by their first bytes, and are no text. */
export type Binary = 'trace.dat' | 'gzip' | 'binary'

/** What is known of a source once it has been read, beside its events. */
export interface SourceFacts {
  readonly reading: Omit<TraceReading, 'kept'>
  readonly bytes: number
  readonly binary: Binary | null
}

export interface SourceRead extends SourceFacts {
  readonly kept: readonly KeptEvent[]
}

/** The events themselves are in the films. */
export interface Played extends SourceFacts {
  readonly films: readonly Film[]
  readonly kept: number
}

async function streamOf(source: TraceSource): Promise<ReadableStream<Uint8Array>> {
  if ('file' in source) return source.file.stream()
  const response = await fetch(source.url)
  if (!response.ok || !response.body) throw new Error(`${response.status} ${response.statusText}`)
  return response.body
}

function binaryOf(bytes: Uint8Array): Binary | null {
  const [a, b, c, d] = bytes
  if (a === 0x17 && b === 0x08 && c === 0x44) return 'trace.dat'
  if (a === 0x1f && b === 0x8b) return 'gzip'
  // zstd, xz; a zero byte stands in no text.
  if ((a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) || bytes.subarray(0, 4096).includes(0))
    return 'binary'
  return null
}

/** Keeps the events of these names. `progress` is told the bytes read so far. Rejects when the source cannot be read. */
export async function readSource(
  source: TraceSource,
  names: readonly string[],
  progress: (bytes: number) => void,
  limits: Limits = LIMITS,
): Promise<SourceRead> {
  const stream = (await streamOf(source)).getReader()
  const reader = openTraceReader(limits, names)
  // The name of a task may hold any bytes: what is not UTF-8 is replaced.
  const decoder = new TextDecoder()
  let bytes = 0
  let binary: Binary | null = null
  for (let wanted = true; wanted;) {
    const { done, value } = await stream.read()
    if (done) break
    if (bytes === 0) binary = binaryOf(value)
    bytes += value.length
    wanted = binary === null && reader.push(decoder.decode(value, { stream: true }))
    progress(bytes)
  }
  await stream.cancel()
  const { kept, ...reading } = reader.end()
  return { kept, reading, bytes, binary }
}

/** What the movie plays of a source. Rejects when it cannot be read. */
export async function playSource(
  source: TraceSource,
  progress: (bytes: number) => void,
  limits: Limits = LIMITS,
): Promise<Played> {
  const { kept, ...facts } = await readSource(source, PLAYED, progress, limits)
  return { ...facts, films: cutFilms(kept), kept: kept.length }
}
