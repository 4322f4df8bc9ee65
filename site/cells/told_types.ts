// SPDX-License-Identifier: MIT
//
// What the names of the models mean, for a reader who points at one in a cell: the compiler's own words (the signature,
// as an editor shows it), the first sentence of its comment, and where Linux has it. Found when the site is built; a page
// fetches those of its chapter when a reader points at a cell's code.
//
//     { tips: [[signature, sentence, kernel], …], names: { <cell>: [[offset, length, tip], …] } }
import { join } from 'node:path'
import ts from 'typescript'
import type { Cell } from './types.ts'

/** Signature; the first sentence of the comment or ''; `mm/cma.c cma_alloc() v6.12` or ''. */
export type Tip = readonly [signature: string, sentence: string, kernel: string]

export interface ToldTypes {
  readonly tips: readonly Tip[]
  /** By cell: offset and length in its code, index of the tip; in order. */
  readonly names: Readonly<Record<string, readonly (readonly [number, number, number])[]>>
}

/** Longer ones are a page of fields: the signature of a big object teaches nothing in passing. */
const LONGEST_SIGNATURE = 600

function options(root: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file))
  const parsed = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root)
  return { ...parsed.options, types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] }
}

/** A cell as a file beside its chapter. A module even when it imports nothing, so that cells do not share names. */
const pathOf = (root: string, cell: Cell): string => join(root, `${cell.file}.${cell.id}.ts`)

/** The compiler over the cells and whatever they import. */
export function cellService(root: string, cells: readonly Cell[]): ts.LanguageService {
  const texts = new Map(cells.map((cell) => [pathOf(root, cell), `${cell.code}\nexport {}\n`]))
  const settings = options(root)
  const read = (file: string): string | undefined => texts.get(file) ?? ts.sys.readFile(file)
  return ts.createLanguageService({
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [...texts.keys()],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => {
      const text = read(file)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    fileExists: (file) => texts.has(file) || ts.sys.fileExists(file),
    readFile: read,
    directoryExists: (folder) => ts.sys.directoryExists(folder),
  })
}

function firstSentence(text: string): string {
  const flat = text
    .replace(/\{@link(?:code|plain)?\s+([^}|]+)(?:\|[^}]*)?\}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  const end = /^(.*?[.!?])(?:\s+(?=[A-Z`(])|$)/.exec(flat)
  return end?.[1] ?? flat
}

/** What the compiler says of the name at `position`, or null when it is none of the models'. */
export function tipAt(service: ts.LanguageService, file: string, position: number): Tip | null {
  const info = service.getQuickInfoAtPosition(file, position)
  if (!info) return null
  const plain = ts.displayPartsToString(info.displayParts).replace(/^\(alias\) |\nimport [\w$]+$/g, '')
  const signature = plain.length > LONGEST_SIGNATURE ? `${plain.slice(0, LONGEST_SIGNATURE)}…` : plain
  const kernel = info.tags?.find(({ name }) => name === 'kernel')
  const sentence = firstSentence(ts.displayPartsToString(info.documentation))
  return [signature, sentence, firstSentence(ts.displayPartsToString(kernel?.text))]
}

/** What a name stands for when that is declared in the models: what is imported, and fields and methods of theirs. */
function modelSymbol(checker: ts.TypeChecker, name: ts.Identifier, models: string): ts.Symbol | null {
  let symbol = checker.getSymbolAtLocation(name)
  if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol)
  const isModels = symbol?.declarations?.some((each) => each.getSourceFile().fileName.startsWith(models))
  return symbol && isModels ? symbol : null
}

function identifiers(source: ts.SourceFile): ts.Identifier[] {
  const found: ts.Identifier[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The told types of each chapter's file, each name told once. @cost a compiler's look at every model: seconds */
export function toldTypes(root: string, cells: readonly Cell[]): Map<string, ToldTypes> {
  const service = cellService(root, cells)
  const program = service.getProgram()
  if (!program) throw new Error('toldTypes: the compiler made no program')
  const checker = program.getTypeChecker()
  const tips = new Map<ts.Symbol, Tip | null>()
  const told = new Map<string, { tips: Tip[]; names: Record<string, [number, number, number][]> }>()
  for (const cell of cells) {
    const path = pathOf(root, cell)
    const source = program.getSourceFile(path)
    if (!source) throw new Error(`toldTypes: the compiler did not read ${path}`)
    const chapter = told.get(cell.file) ?? { tips: [], names: {} }
    told.set(cell.file, chapter)
    const names: [number, number, number][] = []
    chapter.names[cell.id] = names
    for (const name of identifiers(source)) {
      const symbol = modelSymbol(checker, name, join(root, 'code/'))
      if (!symbol) continue
      const start = name.getStart(source)
      const tip = tips.get(symbol) ?? tipAt(service, path, start)
      tips.set(symbol, tip)
      if (tip) names.push([start, name.text.length, indexOf(chapter.tips, tip)])
    }
  }
  service.dispose()
  return told
}

function indexOf(tips: Tip[], tip: Tip): number {
  const known = tips.indexOf(tip)
  return known >= 0 ? known : tips.push(tip) - 1
}
