// SPDX-License-Identifier: MIT
//
// The three addresses of a buffer as traces tell them: of a kernel, of the model, and lines that neither would print.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatTrace } from '../../code/lib/trace_format.ts'
import { parseScenario } from '../../code/machine/scenario_parse.ts'
import { runScenario } from '../../code/machine/scenario_run.ts'
import { enMovie } from '../../site/text/en_movie.ts'
import { enWidgets } from '../../site/text/en_widgets.ts'
import type { AddressesFrame } from '../../site/widgets/addresses_frames.ts'
import { addressesOfEvents, DMA_EVENTS } from '../../site/widgets/addresses_trace.ts'
import { sentenceOf } from '../../site/widgets/frame.ts'
import { drawingOf } from '../../site/widgets/kinds_draw.ts'
import { readSource } from '../../site/widgets/movie/read_source.ts'
import { verdictOf } from '../../site/widgets/movie/verdict.ts'
import { root } from '../support/files.ts'

const words = enWidgets.kinds['three-addresses']
const recorded = readFileSync(join(root, 'test/lib/fixtures/traces/board-6.12.txt'), 'utf8')

async function framesOf(text: string, most?: number): Promise<AddressesFrame[]> {
  const { kept } = await readSource({ file: new Blob([text]) }, DMA_EVENTS, () => undefined)
  return addressesOfEvents(kept, most)
}
const told = (frames: readonly AddressesFrame[]): string[] =>
  frames.map(({ said }) => sentenceOf(said, words))
const line = (event: string, task = 'dd-7'): string => `  ${task} [000] ..... 1.000000: ${event}\n`
const known = ({ cpu, phys, dma }: AddressesFrame): boolean[] => [cpu.known, phys.known, dma.known]

describe('the addresses of a trace', () => {
  it('are those that 6.12 recorded, event by event', async () => {
    const frames = await framesOf(recorded)
    expect(told(frames)).toEqual([
      'trace-maker maps 512 bytes at 0x44b18000. On its bus they are at 0x44b18000 too.',
      'The processor may look at the 512 bytes that trace-maker has at 0x44b18000.',
      'trace-maker may have the 512 bytes at 0x44b18000 again.',
      'The 512 bytes at 0x44b18000 are unmapped: trace-maker may not have them any more.',
      'trace-maker maps a list of 3 pieces. The first, at 0x44b18000, is at 0x44b18000 on its bus.',
      'trace-maker maps 24 bytes at 0x480e0ee0. They are bounced: it gets a copy, at 0x5f580000.',
      'The 24 bytes at 0x5f580000 are unmapped: trace-maker may not have them any more.',
      'trace-maker gets 4194304 bytes at 0x50100000 on its bus. The pointer is printed hashed: 0x8d36bc78.',
      'trace-maker gives the 4194304 bytes at 0x50100000 back.',
      'trace-maker gets 1536000 bytes at 0x50200000 on its bus. The pointer is printed hashed: 0x5f1b6ec1.',
      'trace-maker gives the 1536000 bytes at 0x50200000 back.',
      'trace-maker asks for 163840000 bytes and gets nothing.',
      'trace-maker gets 65536 bytes at 0x50060000 on its bus. The pointer is printed hashed: 0x3c6cb3a4.',
      'trace-maker gives the 65536 bytes at 0x50060000 back.',
    ])
    // A mapping names RAM and bus, an allocation pointer and bus; what follows shows what was told before.
    expect(frames.slice(0, 8).map(known)).toEqual([
      ...Array<boolean[]>(7).fill([false, true, true]),
      [true, false, true],
    ])
    expect(known(frames[11]!)).toEqual([false, false, false])
    const drawn = drawingOf('three-addresses', frames[0]!, words)
    expect(drawn).toContain(
      `aria-label="${words.labels.phys}: 0x44b18000; trace-maker ${words.labels.dma}: 0x44b18000"`,
    )
    expect(drawn).toMatch(/class="ta-through" d="M4 90V148"/)
    expect(drawingOf('three-addresses', frames[7]!, words)).toMatch(/class="ta-through" d="M4 32V148"/)
  })

  it('are those of every trace that the scenarios of chapters 5 and 6 make', async () => {
    const folders = ['05-coherent-memory', '06-streaming-dma'].map((name) => `chapters/${name}/scenarios`)
    const files = folders
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
    expect(files.length).toBeGreaterThan(2)
    let frames = 0
    for (const file of files) {
      const { scenario } = parseScenario(readFileSync(join(root, file), 'utf8'), file)
      if (!scenario) throw new Error(`${file} is no scenario`)
      const { trace } = runScenario(scenario, { kernel: '6.12.117' })
      const played = await framesOf(formatTrace(trace, '6.12.117'))
      const plain = trace.filter(
        ({ event }) => event !== 'swiotlb_bounced' && (DMA_EVENTS as readonly string[]).includes(event),
      )
      expect(played.length, file).toBe(plain.length)
      for (const sentence of told(played)) expect(sentence).not.toMatch(/[{}]|undefined|NaN/)
      frames += played.length
    }
    expect(frames).toBeGreaterThan(5)
  })

  const map = (phys: string, dma: string, size = 64): string =>
    line(`dma_map_page: cam dir=TO_DEVICE dma_addr=${dma} size=${size} phys_addr=${phys} attrs=`)
  const alloc = (virt: string, attrs = ''): string =>
    line(
      `dma_alloc: cam dir=BIDIRECTIONAL dma_addr=50060000 size=64 virt_addr=${virt} flags=GFP_KERNEL attrs=${attrs}`,
    )

  it('use every sentence that there is for traces', async () => {
    const text = [
      recorded,
      map('48000000', '8000000'),
      map('48000000', 'c8000000'),
      map('48000000', 'ffffffffffffffff'),
      alloc('ffff000010060000'),
      alloc('c0060000'),
      alloc('(____ptrval____)'),
      alloc('000000008d36bc78', 'NO_KERNEL_MAPPING'),
    ]
    const frames = await framesOf(text.join(''))
    const used = new Set(frames.map(({ said }) => said.word))
    const ofTraces = Object.keys(words.said).filter((word) => word.startsWith('trace'))
    expect(ofTraces.filter((word) => !used.has(word))).toEqual([])
    expect(told(frames).slice(-7)).toEqual([
      'cam maps 64 bytes at 0x48000000. On its bus they are at 0x08000000, 0x40000000 less.',
      'cam maps 64 bytes at 0x48000000. On its bus they are at 0xc8000000, 0x80000000 more.',
      'cam maps 64 bytes at 0x48000000, and it fails: they have no address on its bus.',
      'cam gets 64 bytes. The pointer is 0xffff000010060000; on its bus they are at 0x50060000.',
      'cam gets 64 bytes at 0x50060000 on its bus. The pointer is printed as 0xc0060000.',
      'cam gets 64 bytes at 0x50060000 on its bus. The pointer is not printed.',
      'cam gets 64 bytes at 0x50060000 on its bus, and no pointer to them.',
    ])
    expect(frames.slice(-7).map(known)).toEqual([
      [false, true, true],
      [false, true, true],
      [false, true, false],
      [true, false, true],
      [true, false, true],
      [false, false, true],
      [false, false, true],
    ])
  })

  // swiotlb names what it copies by its address on the bus, which is not that in RAM.
  it('take a bounce for that of the mapping that the task makes next, and of no other', async () => {
    const bounce = 'swiotlb_bounced: dev_name: cam dma_mask=3fffffff dev_addr=c0000000 size=64 NORMAL'
    const mapped = map('100000000', '1f580000')
    const said = async (...lines: string[]): Promise<string[]> =>
      (await framesOf(lines.join(''))).map(({ said: { word } }) => word)
    expect(await said(line(bounce), mapped)).toEqual(['traceBounced'])
    expect(await said(line(bounce, 'dd-8'), mapped)).toEqual(['traceBelow'])
    expect(await said(line(bounce), mapped, mapped)).toEqual(['traceBounced', 'traceBelow'])
    expect(await said(line(bounce), map('100000000', '1f580000', 32))).toEqual(['traceBelow'])
    const list = line(
      'dma_map_sg: cam dir=TO_DEVICE nents=1/1 ents=1/1 dma_addrs={0x1f580000} sizes={0x40} phys_addrs={0x100000000} attrs=',
    )
    expect(await said(line(bounce), list, mapped)).toEqual(['traceList', 'traceBelow'])
    // One that failed is no address, in 32 bits either.
    expect(await said(line(bounce), map('100000000', 'ffffffff'))).toEqual(['traceNotMapped'])
  })

  it('may be of 64 bits, begin in the middle, name anything a device, and end at a bound', async () => {
    const [wide] = await framesOf(map('48000000', 'ffffffffffff0000'))
    expect(wide!.dma.byte).toBe('0xffffffffffff0000')
    const free = (virt: string): string =>
      line(`dma_free: <b>&"x dir=BIDIRECTIONAL dma_addr=50060000 size=64 virt_addr=${virt} attrs=`)
    const [freed] = await framesOf(free('0000000012345678'))
    expect(known(freed!)).toEqual([false, false, true])
    expect(drawingOf('three-addresses', freed!, words)).not.toMatch(/<b>/)
    expect(await framesOf(free('0000000000000000'))).toEqual([])
    const long = map('48000000', '48000000').replace('cam', 'a-device-with-a-name-that-has-no-end')
    const [named] = await framesOf(long)
    expect(told([named!])[0]).toMatch(/^a-device-with-a-nam… maps/)
    expect(drawingOf('three-addresses', named!, words)).toContain('>a-device-wi… on its bus')
    expect(await framesOf(recorded, 5)).toHaveLength(5)
  })

  it('are none of a trace of something else, which is said', async () => {
    const read = async (text: string): Promise<string> => {
      const { kept, ...facts } = await readSource({ file: new Blob([text]) }, DMA_EVENTS, () => undefined)
      const { none, unread, want } = enMovie.missing.dma
      const told = { ...enMovie, want, problems: { ...enMovie.problems, none, unread } }
      const plays = addressesOfEvents(kept).length > 0
      return verdictOf({ ...facts, kept: kept.length }, plays, 'board.txt', told).text
    }
    expect(await read(line('cma_release: name=a pfn=0x1 page=0 count=1'))).toBe(
      `board.txt is a trace, and no event in it is one that this picture plays; it has cma_release. ${enMovie.missing.dma.want}`,
    )
    // 6.1 has swiotlb_bounced, and nothing to draw.
    const older = readFileSync(join(root, 'test/lib/fixtures/traces/board-6.1.txt'), 'utf8')
    expect(await read(older)).toContain('no event in it is one that this picture plays')
    expect(await read(line('dma_alloc: in no way known'))).toContain('line 1 is “dd-7')
  })
})
