// SPDX-License-Identifier: MIT
//
// A cell runs with its types stripped, so running it proves nothing of them. Here the compiler reads every cell as if it
// were a file of the project, and its errors are told by the chapter's file and line.
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { extractCells } from '../../site/cells/cells.ts'
import type { Cell } from '../../site/cells/types.ts'
import { readChapters } from '../../site/weave/chapters.ts'
import { root } from '../support/files.ts'

/** Type errors of all cells, as `chapter:line:column: text`. A cell is a file of its own beside its chapter. */
function typeErrors(cells: readonly Cell[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file))
  const { options } = ts.parseJsonConfigFileContent(
    config.config,
    { ...ts.sys, readDirectory: () => [] },
    root,
  )
  const texts = new Map(cells.map((cell) => [join(root, `${cell.file}.${cell.id}.ts`), cell]))
  const host = ts.createCompilerHost({ ...options, noUnusedLocals: false, noUnusedParameters: false })
  const { readFile, fileExists } = host
  // A module even when it imports nothing, so that cells do not see each other's names.
  host.readFile = (file) => {
    const cell = texts.get(file)
    return cell ? `${cell.code}\nexport {}\n` : readFile(file)
  }
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  const program = ts.createProgram([...texts.keys()], { ...options, noUnusedLocals: false }, host)
  return [...texts].flatMap(([path, cell]) => {
    const source = program.getSourceFile(path)
    if (!source) throw new Error(`typeErrors: the compiler did not read ${path}`)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ start = 0, messageText }) => {
      const { line, character } = source.getLineAndCharacterOfPosition(start)
      const text = ts.flattenDiagnosticMessageText(messageText, ' ')
      return `${cell.file}:${cell.line + 1 + line}:${character + 1}: error: cell ${cell.id}: ${text}`
    })
  })
}

describe('the types of the cells', () => {
  it('typeErrors() finds none in the cells of the book', () => {
    const { chapters } = readChapters(root)
    const cells = chapters.flatMap(({ markdown, file }) => extractCells(markdown, file).cells)
    expect(typeErrors(cells).join('\n')).toBe('')
  })

  it('typeErrors() reports a wrong type and a missing name, by the line of the chapter', () => {
    const code =
      "import { EBUSY, NOTHING } from 'contiguous/lib/errno'\n\nconst text: string = EBUSY\nconsole.log(text, NOTHING)"
    const text = `# A\n\n\`\`\`ts run id=wrong\n${code}\n\`\`\`\n\n\`\`\`output\n\`\`\`\n`
    const { cells } = extractCells(text, 'chapters/01-x/index.md')
    expect(typeErrors(cells)).toEqual([
      expect.stringMatching(/^chapters\/01-x\/index\.md:4:17: error: cell wrong: .*NOTHING/),
      expect.stringMatching(
        /^chapters\/01-x\/index\.md:6:7: error: cell wrong: Type 'number' is not assignable/,
      ),
    ])
  })
})
