// SPDX-License-Identifier: MIT
//
// Every scenario of the book, on every kernel that it claims; and the mistakes that a scenario can make, each a fixture.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  findScenario,
  listingText,
  listScenarios,
  readBeside,
  scenarioFiles,
} from '../../code/cli/run_list.ts'
import { runNamed } from '../../code/cli/run_scenario.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { formatDiagnostic, type Diagnostic } from '../../code/lib/diagnostic.ts'
import { parseScenario } from '../../code/machine/scenario_parse.ts'
import { runScenario } from '../../code/machine/scenario_run.ts'
import { root as rootSlash } from '../support/files.ts'

const root = rootSlash.replace(/\/$/, '')

describe('runScenario() holds every expectation of', () => {
  for (const found of listScenarios(root)) {
    const { scenario, name } = found
    const shows = scenario.shows ? `, ${scenario.shows.join(', ')}` : ''
    for (const kernel of scenario.kernels) {
      it(`${name} on ${kernel}${shows}: ${scenario.title}`, () => {
        const report = runScenario(scenario, { kernel, readText: readBeside(found) })
        expect(report.diagnostics.map(formatDiagnostic)).toEqual([])
        expect(report.expectations).toBeGreaterThan(0)
        expect(report.verdict).toBe('passed')
      })
    }
  }
})

const fixtures = join(dirname(new URL(import.meta.url).pathname), 'fixtures')

// What a reader is told about a fixture, whether before it runs or while it does.
function told(file: string): Diagnostic[] {
  const { scenario, diagnostics } = parseScenario(readFileSync(join(fixtures, file), 'utf8'), file)
  return scenario ? [...runScenario(scenario).diagnostics] : diagnostics
}

const at = ({ line, column, rule }: Diagnostic): string => `${line}:${column} ${rule}`

describe('parseScenario() and runScenario() tell', () => {
  const rules: Record<string, string> = {
    'bad-unknown-step.yaml': '5:5 scenario-unknown-step',
    'bad-outside-ram.yaml': '11:11 scenario-outside-ram',
    'bad-freed-twice.yaml': '8:5 scenario-freed-twice',
    'bad-freed-twice-by-pfn.yaml': '9:5 scenario-freed-twice',
    'bad-order.yaml': '5:27 scenario-order',
    'bad-unknown-name.yaml': '7:22 scenario-unknown-name',
    'bad-wrong-kind.yaml': '7:28 scenario-wrong-kind',
    'bad-area.yaml': '5:24 scenario-unknown-area',
    'bad-expectation.yaml': '6:19 scenario-expectation',
    'bad-tree.yaml': '8:24 dts-unknown-label',
    'bad-kernel.yaml': '3:1 scenario-board',
  }
  for (const [file, rule] of Object.entries(rules)) {
    it(`${rule.split(' ')[1]!} of ${file} at its place`, () => {
      expect(told(file).map(at)[0]).toBe(rule)
    })
  }

  it('every fixture', () => {
    const bad = readdirSync(fixtures).filter((file) => file.startsWith('bad-') && file.endsWith('.yaml'))
    expect(bad.sort()).toEqual(Object.keys(rules).sort())
  })

  it('subject, got, expected and the next step', () => {
    expect(told('bad-order.yaml').map(formatDiagnostic)).toEqual([
      'bad-order.yaml:5:27: error: alloc_pages: order 11 is too high, expected 0 to 10 (MAX_PAGE_ORDER: 4096 KiB) ' +
        '[scenario-order]\n  larger buffers come from a CMA area only: cma_alloc, or dma_alloc_coherent',
    ])
    expect(told('bad-unknown-step.yaml').map(formatDiagnostic)).toEqual([
      'bad-unknown-step.yaml:5:5: error: steps[0]: there is no step alloc_page [scenario-unknown-step]\n' +
        '  did you mean alloc_pages?',
    ])
    expect(told('bad-freed-twice.yaml').map(formatDiagnostic)).toEqual([
      'bad-freed-twice.yaml:8:5: error: __free_pages: table (pfn 0x40060) was given back by __free_pages in line 7, ' +
        'expected one that is still held [scenario-freed-twice]\n  drop one of the two: lines 7 and 8',
    ])
    expect(told('bad-outside-ram.yaml').map(formatDiagnostic)).toEqual([
      'bad-outside-ram.yaml:11:11: error: buffer@50000000: 0x50000000..0x500fffff is outside RAM, ' +
        'expected inside 0x40000000..0x4fffffff [scenario-outside-ram]\n' +
        '  move the region, or give the board more RAM: board.ram',
    ])
  })

  it('every expectation that fails, and not only the first', () => {
    expect(told('bad-expectation.yaml').map(({ text }) => text)).toEqual([
      'cma_alloc: bit: got 96, expected 7',
      'log: got 0 lines with "this is never said", expected at least 1',
      '/proc/vmstat: cma_alloc_success: got 4, expected 99',
    ])
  })
})

const board = `title: A board
kernels: [6.12]
board: { ram: 256M, cmdline: cma=16M }
steps:
`

const run = (steps: string, kernel = '6.12') => {
  const { scenario, diagnostics } = parseScenario(board.replace('6.12', kernel) + steps, 'test.yaml')
  if (!scenario) throw new Error(diagnostics.map(formatDiagnostic).join('\n'))
  return runScenario(scenario)
}
const toldOf = (steps: string): string[] =>
  parseScenario(board + steps, 'test.yaml').diagnostics.map(
    ({ line, column, rule, text, note }) => `${line}:${column} ${rule} ${text}${note ? ` (${note})` : ''}`,
  )

describe('parseScenario()', () => {
  it('offers the nearest key, field and event of a step', () => {
    expect(toldOf('  - alloc_pages: { ordr: 1 }\n')).toEqual([
      '5:20 scenario-unknown-key steps[0].alloc_pages.ordr: unknown key (did you mean order?)',
    ])
    expect(toldOf('  - alloc_pages: {}\n    gives: { pfm: 1 }\n')).toEqual([
      '6:14 scenario-field steps[0].gives.pfm: alloc_pages does not give pfm (did you mean pfn?)',
    ])
  })

  it('takes an unknown key for a step only where there is no other', () => {
    expect(toldOf('  - alloc_pages: {}\n    ass: a\n')).toEqual([
      '6:5 scenario-unknown-key steps[0].ass: unknown key (did you mean as?)',
    ])
    expect(toldOf('  - fil: {}\n')).toEqual([
      '5:5 scenario-unknown-step steps[0]: there is no step fil (did you mean fill?)',
    ])
  })

  it('wants one thing to do of each step, and names once', () => {
    expect(toldOf('  - as: nothing\n')).toEqual([
      '5:5 scenario-value steps[0]: expected one thing to do, got none',
    ])
    expect(toldOf('  - process: {}\n    as: p\n  - process: {}\n    as: p\n')).toEqual([
      '8:9 scenario-same-name steps[1].as: p is made already, expected a name of its own',
    ])
  })

  it('refuses a kernel that is not modelled, and a flag that there is not', () => {
    expect(toldOf('  - alloc_pages: { gfp: GFP_KERNEL|__GFP_NICE }\n')[0]).toMatch(
      /expected flags among .*got "__GFP_NICE"/,
    )
    const { diagnostics } = parseScenario(
      board.replace('6.12', '5.10') + '  - show: { what: [log] }\n',
      'test.yaml',
    )
    expect(diagnostics[0]?.text).toMatch(/^kernels\[0\]: expected a modelled kernel \(3\.5, .*\), got 5\.1/)
  })

  it('offers the nearest event, and refuses a field of a result that there is not', () => {
    const text = board.replace('steps:', 'trace: [cma_alloc_strat]\nsteps:') + '  - show: { what: [log] }\n'
    expect(parseScenario(text, 'test.yaml').diagnostics).toMatchObject([
      { rule: 'scenario-unknown-event', line: 4, column: 9, note: 'did you mean cma_alloc_start?' },
    ])
    const steps =
      '  - alloc_pages: {}\n    as: a\n  - alloc_pages: {}\n    gives: { pfn: { differsFrom: a.pfm } }\n'
    expect(run(steps).diagnostics.map(({ text: what }) => what)).toEqual([
      'a.pfm: a gave pfn, block, expected a name and a field, such as before.pfn',
    ])
  })

  it('reads sizes, addresses, flags and bytes', () => {
    const { scenario } = parseScenario(
      board + '  - alloc_pages: { gfp: GFP_ATOMIC, order: 1 }\n',
      'test.yaml',
    )
    expect(scenario).toMatchObject({ kernels: ['6.12.117'], board: { ram: 2 ** 28 }, seed: 1 })
  })
})

describe('parseScenario() says in plain words', () => {
  const first = (text: string): string => {
    const [found] = parseScenario(text, 'test.yaml').diagnostics
    return found ? `${found.line}:${found.column} ${found.text}${found.note ? ` (${found.note})` : ''}` : ''
  }

  it('what an empty file, a second document, a repeated key and an alias without anchor are', () => {
    expect(first('')).toBe('1:1 the file: expected keys with values (key: value), got nothing')
    expect(first('title: a\n---\ntitle: b\n')).toBe(
      '2:1 a second document begins here, expected one in a file (delete the line ---)',
    )
    expect(first('title: a\ntitle: b\n')).toBe(
      '2:1 this key stands here twice, expected it once (keep one of the two)',
    )
    expect(first('title: *nothing\n')).toMatch(/^1:8 Unresolved alias/)
  })

  it('which numbers, sizes and words will do', () => {
    expect(toldOf('  - alloc_pages: { order: -1 }\n')).toEqual([
      '5:27 scenario-value steps[0].alloc_pages.order: expected at least 0, got -1',
    ])
    expect(toldOf('  - busy: { errno: EBUSSY }\n')).toEqual([
      '5:20 scenario-value steps[0].busy.errno: expected one of "EBUSY", "ENOMEM", "EINTR", got "EBUSSY" (did you mean EBUSY?)',
    ])
    expect(first(board.replace('256M', '1024G') + '  - process: {}\n')).toBe(
      '3:15 board.ram: expected 1M to 256G, got "1024G"',
    )
    expect(toldOf('  - file: { size: 2G }\n')).toEqual([
      '5:19 scenario-value steps[0].file.size: expected at most 1G, got "2G"',
    ])
  })

  it('that an event of an expectation is misspelt, which would else be seen 0 times', () => {
    expect(toldOf('  - expect: { trace: { cma_aloc_start: 0 } }\n')).toEqual([
      '5:24 scenario-unknown-event steps[0].expect.trace.cma_aloc_start: there is no event cma_aloc_start (did you mean cma_alloc_start?)',
    ])
  })
})

describe('runScenario()', () => {
  const process = '  - process: {}\n    as: p\n  - fill: { process: p, pages: 100 }\n    as: heap\n'

  it('tells a mistake in inline device-tree source at its column, and moves the lines its note names', () => {
    const text = board.replace(
      '{ ram: 256M, cmdline: cma=16M }',
      '\n  reserved: |\n    a@50000000 {\n      no-map\n      x;\n    };',
    )
    const { scenario } = parseScenario(text + '  - process: {}\n', 'test.yaml')
    expect(runScenario(scenario!).diagnostics).toMatchObject([
      { line: 7, column: 7, note: 'Put a ; at the end of line 6.' },
    ])
    const flow = board.replace('cmdline: cma=16M', 'nodes: "x { a = <&no>; };"')
    const other = parseScenario(flow + '  - process: {}\n', 'test.yaml').scenario
    expect(runScenario(other!).diagnostics).toMatchObject([{ line: 3, column: 38 }])
  })

  it('pins by lot: other pages with another seed, the same with the same, and again after restore', () => {
    const { scenario } = parseScenario(
      `${board}${process}  - snapshot: {}\n    as: s\n  - pin_user_pages: { area: heap, pages: 3, byLot: true }\n    as: a\n` +
        '  - restore: { snapshot: s }\n  - pin_user_pages: { area: heap, pages: 3, byLot: true }\n    as: b\n',
      'test.yaml',
    )
    const pins = (seed: number) =>
      runScenario(scenario!, { seed }).steps.flatMap(({ fields: { pfn } }) => pfn ?? [])
    const [first, again] = pins(1)
    expect(first).toBe(again)
    expect(new Set([1, 2, 3, 4, 5].map((seed) => pins(seed)[0])).size).toBeGreaterThan(1)
  })

  it('refuses pages behind the end of an area or a file, and more of a range than it has', () => {
    const texts = (steps: string) => run(steps).diagnostics.map(({ text }) => text)
    expect(texts(`${process}  - touch: { area: heap, from: 90, pages: 20 }\n`)).toEqual([
      'got pages 90 to 109, expected some of 0 to 99: the area has 100',
    ])
    expect(texts('  - file: { size: 1M }\n    as: f\n  - readFile: { file: f, from: 300 }\n')[0]).toMatch(
      /expected some of 0 to 255/,
    )
    expect(
      texts(
        '  - cma_alloc: { area: reserved, count: 4 }\n    as: r\n  - cma_release: { range: r, count: 5 }\n',
      ),
    ).toEqual(['cma_release: got 5 pages of r, expected 1 to 4'])
  })

  it('gives a range back in two parts', () => {
    const steps =
      '  - cma_alloc: { area: reserved, count: 4 }\n    as: r\n  - cma_release: { range: r, count: 3 }\n  - cma_release: { range: r }\n    gives: { released: true }\n'
    expect(run(steps).diagnostics).toEqual([])
  })

  it('does not start where the kernel finds no RAM', () => {
    const text = board
      .replace('ram: 256M', 'ram: 256M, at: 0x100000000')
      .replace('board:', 'arch: arm\nboard:')
    const { scenario } = parseScenario(`${text}  - process: {}\n`, 'test.yaml')
    expect(runScenario(scenario!).verdict).toBe('broken')
  })

  it('ends at a step that cannot be done and goes on after an expectation that fails', () => {
    const failed = run('  - alloc_pages: {}\n    gives: { pfn: 1 }\n  - process: {}\n')
    expect([failed.verdict, failed.steps.length]).toEqual(['failed', 2])
    const broken = run('  - alloc_pages: { order: 99 }\n  - process: {}\n')
    expect([broken.verdict, broken.steps.length]).toEqual(['broken', 0])
  })

  it('gives the same report twice', () => {
    const steps =
      '  - process: {}\n    as: p\n  - fill: { process: p, pages: 500 }\n  - show: { what: [memory, vmstat] }\n'
    const text = (report: ReturnType<typeof run>) => JSON.stringify([report.steps, report.trace, report.log])
    expect(text(run(steps))).toBe(text(run(steps)))
  })

  it('ends attempts as `busy` says, where nothing is in the way', () => {
    const report = run(
      '  - busy: { times: 2 }\n  - cma_alloc: { area: reserved, count: 8, align: 8 }\n' +
        '    gives: { starts: [256, 512, 768], bit: 768 }\n' +
        '  - busy: { errno: ENOMEM }\n  - cma_alloc: { area: reserved, count: 8, align: 8 }\n    gives: { errno: -12, tries: 1 }\n',
    )
    expect(report.diagnostics).toEqual([])
  })

  it('returns to a snapshot, results by name included', () => {
    const report = run(
      '  - snapshot: {}\n    as: before\n  - cma_alloc: { area: reserved, count: 64 }\n    gives: { bit: 96 }\n' +
        '  - restore: { snapshot: before }\n  - cma_alloc: { area: reserved, count: 64 }\n    gives: { bit: 96 }\n',
    )
    expect(report.diagnostics).toEqual([])
  })
})

describe('contig run', () => {
  const first = scenarioFiles(root)[0]!

  it('offers the nearest name for an unknown one, with exit code 2', () => {
    const wrong = () => findScenario(root, 'frist-fit-16m')
    expect(wrong).toThrow(/there is no scenario frist-fit-16m; did you mean first-fit-16m\?/)
    expect(wrong).toThrow(Complaint)
  })

  it('lists every scenario with its kernels', () => {
    const text = listingText(listScenarios(root), false)
    for (const { name } of scenarioFiles(root)) expect(text).toContain(`  ${name} `)
    expect(JSON.parse(listingText(listScenarios(root), true))).toHaveProperty('scenarios')
  })

  it('has one name a scenario', () => {
    const names = scenarioFiles(root).map(({ path }) => basename(path))
    expect(new Set(names).size).toBe(names.length)
    expect(first.path).toContain('/chapters/')
  })

  it('refuses a kernel that the scenario is not for', () => {
    const found = findScenario(root, 'first-fit-16m')
    expect(() => runNamed(found, { kernel: '3.5' }, 80)).toThrow(/is for Linux 6.12.117, 6.1.192, not 3.5/)
    expect(() => runNamed(found, { seed: 'x' }, 80)).toThrow(/--seed: got x/)
    expect(() => runNamed(found, { seed: '3' }, 80)).toThrow(/first-fit-16m draws nothing by lot/)
  })

  it('reads a path as a file, and refuses a folder, a file without end and bytes that are not UTF-8', () => {
    expect(() => findScenario(root, `${root}/`)).toThrow(/it is a folder/)
    expect(() => findScenario(root, '/dev/zero')).toThrow(/got more than 1 MiB/)
    const file = join(mkdtempSync(join(tmpdir(), 'contig-run-')), 'a.yaml')
    writeFileSync(file, Buffer.from([0x74, 0x0a, 0x61, 0xff]))
    expect(() => findScenario(root, file)).toThrow(
      /a\.yaml:2:2: error: got the byte 0xff, expected text in UTF-8/,
    )
    rmSync(dirname(file), { recursive: true })
  })

  it('names the file and the other kernels, what each expect looks at, and whole kernel addresses', () => {
    const { text } = runNamed(findScenario(root, 'device-area'), {}, 80)
    expect(text).toContain(
      '(--kernel: also 6.1.192)\nchapters/11-cma-alloc/scenarios/device-area.yaml, its lines on the left\n',
    )
    expect(text).toContain('        cma buffer@56000000 used 5756\n')
    expect(text).toMatch(/cpu 0xffff8000[0-9a-f]{8},/)
  })

  it('prints the trace as that kernel would, a picture no wider than asked, and JSON', () => {
    const found = findScenario(root, 'first-fit-16m')
    const { text } = runNamed(found, { trace: true, kernel: '6.1' }, 80)
    expect(text).toContain('# tracer: nop\n')
    expect(text).toMatch(/cma_alloc_finish: name=reserved pfn=0x5f100 page=[0-9a-f]{16} count=256 align=8\n/)
    const drawn = runNamed(found, { draw: true }, 60).text
    expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(JSON.parse(runNamed(found, { json: true }, 80).text)).toMatchObject({
      verdict: 'passed',
      arch: 'arm64',
    })
  })
})
