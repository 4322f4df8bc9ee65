// SPDX-License-Identifier: MIT
//
// Boots the models as each kernel, keeps which shapes of lines each of them prints, and asks the reader's kernelsOf() about
// single lines and mixtures. When it differs, a single mistake that explains every difference is looked for.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { KERNEL_VERSIONS, RESERVED_MEMORY_KERNELS, type KernelVersion } from 'contiguous/lib/kernel_version'
import { bootMachine } from 'contiguous/machine/boot'
import { startSystem } from 'contiguous/machine/system'
import { cma_alloc } from 'contiguous/mm/cma'
import { parseDts } from 'contiguous/of/dts_parser'

const FILE = 'date_a_log.ts'
const READ = 'One line, six times'
const NOISE = [
  'random: crng init done',
  'Reserved memory is not free memory',
  'my_driver: cma: Reserved nothing',
]

type Log = readonly string[]
type Answer = (log: Log) => readonly string[]

const ARM = `/dts-v1/;
/ {
	#address-cells = <1>;
	#size-cells = <1>;
	memory@10000000 { device_type = "memory"; reg = <0x10000000 0x20000000>; };
};`

const regions = (cells: string): string => `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0x0 0x40000000 0x0 0x40000000>; };
	reserved-memory {
		${cells}
		frames@50000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0x50000000 0x0 0x1000000>; };
		film@60000000 { compatible = "shared-dma-pool"; reusable; reg = <0x0 0x60000000 0x0 0x1000000>; };
	};
};`

export async function check(context: CheckContext): Promise<CheckResult> {
  const kernelsOf = context.kind === 'typescript' ? context.module['kernelsOf'] : undefined
  if (typeof kernelsOf !== 'function')
    return { findings: [finding('ex-export-missing', 'kernelsOf is not an exported function', [])] }
  const printed = new Map(KERNEL_VERSIONS.map((kernel) => [kernel, linesOf(kernel)]))
  const shapes = new Map([...printed].map(([kernel, lines]) => [kernel, new Set(lines.map(shape))]))
  const logs = logsFrom(printed)
  const right = answers(shapes).right
  const given = logs.map((log) => (kernelsOf as Answer)([...log]))
  const wrong = logs.filter((log, i) => said(given[i]) !== said(right(log)))
  if (wrong.length === 0) return { findings: [], shown: [`${logs.length} logs, all dated`] }
  return { findings: [diagnose(logs, given, shapes, wrong)] }
}

const said = (kernels: readonly string[] | undefined): string =>
  Array.isArray(kernels) ? kernels.join(', ') || 'none' : String(kernels)

// #region the oracle
function linesOf(kernel: KernelVersion): string[] {
  const system = startSystem({ tree: parseDts(ARM, 'arm').tree!, kernel, arch: 'arm', cmdline: 'cma=16M' })
  for (const count of [2500, 2500]) cma_alloc(system.vm, system.cma[0]!, count, 8, false)
  const logs = [system.machine.log]
  if ((RESERVED_MEMORY_KERNELS as readonly string[]).includes(kernel)) {
    for (const cells of ['#address-cells = <2>; #size-cells = <2>; ranges;', '']) {
      const tree = parseDts(regions(cells), 'arm64').tree!
      logs.push(bootMachine({ tree, kernel, arch: 'arm64', cmdline: 'cma=64M' }).log)
    }
  }
  return [...new Set(logs.flat().filter((line) => /^cma: |^(OF: .*|)[Rr]eserved mem/.test(line)))].filter(
    (line) => !line.includes('No reserved-memory node'),
  )
}

// A line without its numbers.
function shape(line: string): string {
  return line
    .replace(/(pages: ).*/, '$1')
    .replace(/0x[0-9a-f]+|\b[0-9a-f]{8}\b/g, '<addr>')
    .replace(/\b\d+\b/g, '<n>')
}

// Single lines, pairs of one kernel and of two, each also with a line that tells nothing.
function logsFrom(printed: ReadonlyMap<KernelVersion, Log>): Log[] {
  const singles = [...new Set([...printed.values()].flat())].map((line) => [line])
  const pairs = [...printed.values()].flatMap((lines) =>
    lines.map((line, i) => [line, lines[(i + 1) % lines.length]!]),
  )
  const mixed = singles.map(([line], i) => [line!, singles[(i * 7 + 3) % singles.length]![0]!])
  const quiet = [...singles, ...pairs].map((log, i) => [NOISE[i % NOISE.length]!, ...log])
  return [
    [],
    [NOISE[0]!],
    ...singles,
    ...pairs,
    ...mixed,
    ...quiet,
    ...mixed.map((log) => [...log].reverse()),
  ]
}

type Shapes = ReadonlyMap<KernelVersion, ReadonlySet<string>>

// The right answer, and what known mistakes would say.
function answers(shapes: Shapes) {
  const known = new Set([...shapes.values()].flatMap((each) => [...each]))
  const can = (kernel: KernelVersion, line: string): boolean => shapes.get(kernel)!.has(shape(line))
  const isKnown = (line: string): boolean => known.has(shape(line))
  const of = (test: (kernel: KernelVersion) => boolean): string[] => KERNEL_VERSIONS.filter(test)
  const inside = (kernel: KernelVersion, line: string): boolean =>
    [...shapes.get(kernel)!].some((each) => shape(line).includes(each))
  const right: Answer = (log) => of((kernel) => log.filter(isKnown).every((line) => can(kernel, line)))
  return {
    right,
    first: (log: Log) => right(log.filter(isKnown).slice(0, 1)),
    union: (log: Log) =>
      log.some(isKnown) ? of((kernel) => log.filter(isKnown).some((line) => can(kernel, line))) : right(log),
    strict: (log: Log) => (log.every(isKnown) ? right(log) : []),
    found: (log: Log) => of((kernel) => log.filter(isKnown).every((line) => inside(kernel, line))),
  }
}
// #endregion the oracle

function diagnose(
  logs: readonly Log[],
  given: readonly (readonly string[])[],
  shapes: Shapes,
  wrong: readonly Log[],
): Finding {
  const { first, union, strict, found, right } = answers(shapes)
  const mistakes: [string, string, Answer][] = [
    ['ex-first-line-only', 'one line decides, and what stands beside it is not looked at', first],
    ['ex-lines-added-up', 'a kernel has to print every line, not one of them', union],
    [
      'ex-unknown-line-excludes',
      'a line that is not in the table is taken as one that nobody prints',
      strict,
    ],
    ['ex-text-found-inside', 'a text is found inside another line; whole lines have to be compared', found],
  ]
  const shortest = [...wrong].sort((a, b) => a.length - b.length)[0]!
  const evidence = [
    ...shortest.map((line) => `  ${line}`),
    `given: ${said(given[logs.indexOf(shortest)])}`,
    `the models: ${said(right(shortest))}`,
  ]
  const is = mistakes.find(([, , answer]) => logs.every((log, i) => said(given[i]) === said(answer(log))))
  if (is) return finding(is[0], is[1], evidence)
  return finding('ex-lines-unknown', `${wrong.length} of ${logs.length} logs are dated wrongly`, evidence)
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}
