// SPDX-License-Identifier: MIT
//
// A reader's work and progress: laid out once, never overwritten, moved aside and never deleted.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { findExercise, loadExercises } from '../../code/exercise/catalog.ts'
import { keepAside, writeOnce, writeWhole } from '../../code/exercise/files.ts'
import { parseHints } from '../../code/exercise/hint_steps.ts'
import { parseManifest } from '../../code/exercise/manifest.ts'
import { ProgressFile } from '../../code/exercise/progress.ts'
import { nextUnfinished } from '../../code/exercise/record.ts'
import { layOut, readerFolder, resetExercise } from '../../code/exercise/workspace.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { root } from '../support/files.ts'

const base = mkdtempSync(join(tmpdir(), 'contig-workspace-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
const exercises = loadExercises(root)
const tree = findExercise(exercises, 'mend-the-tree')
const NOW = new Date('2026-01-02T03:04:05Z')

let places = { root, workspace: '' }
let count = 0
beforeEach(() => {
  places = { root, workspace: join(base, `w${count++}`) }
})
const mine = () => join(readerFolder(places, tree), 'board.dts')
const open = () =>
  new ProgressFile(
    places.workspace,
    () => NOW,
    () => 4711,
  )
const PASSED = { hash: 'abc' }

function complaintOf(work: () => unknown): Complaint {
  try {
    work()
  } catch (error) {
    if (error instanceof Complaint) return error
    throw error
  }
  throw new Error('expected a Complaint')
}

describe('layOut()', () => {
  it('copies the shipped files once and never overwrites them', () => {
    expect(layOut(places, tree)).toEqual(['board.dts'])
    expect(readFileSync(mine(), 'utf8')).toBe(readFileSync(join(tree.path, 'board.dts'), 'utf8'))
    writeFileSync(mine(), 'my work')
    expect(layOut(places, tree)).toEqual([])
    expect(readFileSync(mine(), 'utf8')).toBe('my work')
  })

  it('gives TypeScript exercises what an editor needs to find the models', () => {
    layOut(places, findExercise(exercises, 'find-the-place'))
    const config = JSON.parse(readFileSync(join(places.workspace, 'tsconfig.json'), 'utf8'))
    const [path] = config.compilerOptions.paths['contiguous/*']
    expect(existsSync(join(places.workspace, path.replace('*', 'lib/units')))).toBe(true)
  })
})

describe('resetExercise()', () => {
  it('moves the reader’s files aside under a number and lays out the shipped ones', () => {
    layOut(places, tree)
    for (const [n, text] of ['first', 'second'].entries()) {
      writeFileSync(mine(), text)
      writeFileSync(join(readerFolder(places, tree), 'notes.txt'), 'mine too')
      const kept = resetExercise(places, tree)
      expect(kept).toBe(join(places.workspace, '.kept', `mend-the-tree-${n + 1}`))
      expect(readFileSync(join(kept!, 'board.dts'), 'utf8')).toBe(text)
      expect(readFileSync(join(kept!, 'notes.txt'), 'utf8')).toBe('mine too')
      expect(readFileSync(mine(), 'utf8')).toBe(readFileSync(join(tree.path, 'board.dts'), 'utf8'))
    }
  })

  it('has nothing to keep when there was nothing', () => {
    expect(resetExercise(places, tree)).toBeNull()
    expect(existsSync(mine())).toBe(true)
  })
})

describe('writeOnce() and writeWhole()', () => {
  it('leave no half-written file and nothing beside', () => {
    const file = join(places.workspace, 'a.txt')
    expect(writeOnce(file, 'one')).toBe(true)
    expect(writeOnce(file, 'two')).toBe(false)
    expect(readFileSync(file, 'utf8')).toBe('one')
    writeWhole(file, 'three')
    expect(readFileSync(file, 'utf8')).toBe('three')
    expect(readdirSync(places.workspace)).toEqual(['a.txt'])
  })

  it('complain about a file that stands where a folder is needed', () => {
    writeFileSync(places.workspace, 'a file')
    const complaint = complaintOf(() => layOut(places, tree))
    expect(complaint.exitCode).toBe(1)
    expect(complaint.next.join()).toContain('CONTIG_WORKSPACE')
  })
})

describe('keepAside()', () => {
  it('takes the first free number', () => {
    mkdirSync(join(places.workspace, '.kept', 'x-1'), { recursive: true })
    const file = join(places.workspace, 'x')
    writeFileSync(file, 'x')
    expect(keepAside(file, join(places.workspace, '.kept'), 'x')).toBe(join(places.workspace, '.kept', 'x-2'))
  })
})

describe('ProgressFile', () => {
  it('records starts, runs, hints, the first pass and giving up, as plain JSON with a version', () => {
    const progress = open()
    progress.started(tree)
    progress.ran(tree, null)
    progress.hinted(tree, 1)
    progress.gaveUp(tree)
    progress.ran(tree, PASSED)
    progress.ran(tree, null)
    const at = NOW.toISOString()
    expect(JSON.parse(readFileSync(progress.path, 'utf8'))).toEqual({
      version: 2,
      current: 'mend-the-tree',
      exercises: {
        'mend-the-tree': {
          ...{ started: at, runs: 3, hints: 1, passed: at, gaveUp: at },
          answer: { at, hash: 'abc' },
        },
      },
    })
  })

  it('keeps a damaged file aside and begins anew', () => {
    mkdirSync(places.workspace)
    writeFileSync(join(places.workspace, 'progress.json'), '{"version": 1, "exer')
    const progress = open()
    expect(progress.read().exercises).toEqual({})
    expect(readFileSync(progress.keptAside!, 'utf8')).toBe('{"version": 1, "exer')
    expect(progress.ran(tree, PASSED).passed).toBe(NOW.toISOString())
  })

  it('leaves a file of a later version alone', () => {
    mkdirSync(places.workspace)
    writeFileSync(join(places.workspace, 'progress.json'), '{"version": 3}')
    expect(complaintOf(() => open().ran(tree, PASSED)).message).toContain('version 3')
    expect(readFileSync(join(places.workspace, 'progress.json'), 'utf8')).toBe('{"version": 3}')
  })

  it('draws a seed once and keeps it', () => {
    const progress = open()
    expect(progress.seed()).toEqual({ seed: 4711, drawn: true })
    progress.started(tree)
    expect(open().seed()).toEqual({ seed: 4711, drawn: false })
    expect(JSON.parse(readFileSync(progress.path, 'utf8'))).toMatchObject({ seed: 4711 })
  })

  it('reads a file of version 1 and writes it as version 2, with all that was in it', () => {
    mkdirSync(places.workspace)
    const record = { started: 'then', runs: 2, hints: 1, passed: 'later' }
    const old = { version: 1, current: tree.id, exercises: { [tree.id]: record } }
    writeFileSync(join(places.workspace, 'progress.json'), JSON.stringify(old))
    const progress = open()
    progress.seed()
    expect(progress.keptAside).toBeNull()
    expect(JSON.parse(readFileSync(progress.path, 'utf8'))).toEqual({ ...old, version: 2, seed: 4711 })
  })

  it('reads the file before each change, so that two programs do not undo each other', () => {
    const [here, there] = [open(), open()]
    here.started(tree)
    there.hinted(tree, 2)
    here.ran(tree, null)
    expect(there.of(tree)).toMatchObject({ hints: 2, runs: 1 })
  })
})

describe('nextUnfinished()', () => {
  it('goes on from an exercise, comes round to those left out, and ends with null', () => {
    const done = (...ids: string[]) => ({
      version: 2 as const,
      exercises: Object.fromEntries(
        ids.map((id) => [id, { started: '', runs: 1, hints: 0, passed: 'then' }]),
      ),
    })
    const three = exercises.slice(0, 3)
    const [first, second, third] = three.map(({ id }) => id) as [string, string, string]
    expect(nextUnfinished(three, done())?.id).toBe(first)
    expect(nextUnfinished(three, done(second), three[0])?.id).toBe(third)
    expect(nextUnfinished(three, done(third), three[2])?.id).toBe(first)
    expect(nextUnfinished(three, done(...three.map(({ id }) => id)))).toBeNull()
  })
})

describe('findExercise()', () => {
  it('knows an exercise by id, number and folder', () => {
    for (const name of ['mend-the-tree', '2.1', '01-mend-the-tree'])
      expect(findExercise(exercises, name)).toBe(tree)
  })

  it('offers the nearest to an unknown name and ends with 2', () => {
    for (const name of ['mend-the-tre', 'mend-the', 'mned-the-tree']) {
      const complaint = complaintOf(() => findExercise(exercises, name))
      expect(complaint).toMatchObject({ exitCode: 2 })
      expect(complaint.message).toContain('did you mean mend-the-tree?')
    }
  })
})

describe('parseManifest()', () => {
  const good = readFileSync(join(tree.path, 'exercise.yaml'), 'utf8')
  const told = (text: string) =>
    parseManifest(text, 'exercise.yaml').diagnostics.map(({ rule, line }) => `${rule}:${line}`)

  it('tells an unknown key, a wrong value and broken YAML at their lines', () => {
    expect(told(good)).toEqual([])
    expect(told(good.replace('minutes: 15', 'minuts: 15'))).toContain('exercise-unknown-key:6')
    expect(told(good.replace('minutes: 15', 'minutes: soon'))).toEqual(['exercise-value:6'])
    expect(told(good.replace('- board.dts', '- ../board.dts'))).toEqual(['exercise-value:11'])
    const question = good.replace('kind: dts', 'kind: question')
    expect(told(question)[0]).toMatch(/^exercise-unknown-key:/)
    expect(told(question.slice(0, question.indexOf('files:')))).toEqual([])
    expect(told('id: [\n')[0]).toMatch(/^exercise-yaml:/)
  })
})

describe('parseHints()', () => {
  it('reads steps in order and stops at one that is out of it', () => {
    expect(parseHints('## 1\n\na\n\n## 2\nb\n## 3\n')).toEqual(['a', 'b', ''])
    expect(parseHints('## 1\na\n## 3\nb\n')).toEqual(['a'])
  })
})
