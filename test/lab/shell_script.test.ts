// SPDX-License-Identifier: MIT
//
// What a dry run prints is given to sh, and what sh made of it is looked at.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Step } from '../../code/lab/command.ts'
import { shellScript, shellWord } from '../../code/lab/shell_script.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig script '))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (steps: Step[]): void => {
  execFileSync('sh', {
    input: shellScript('a test', steps, () => false),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

describe('shellWord()', () => {
  it.each(['plain', 'two words', "it's", '$HOME `x` \\ "q"', '', 'a;b', '*', 'naïve'])(
    'gives sh back %j',
    (word) => {
      expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word)
    },
  )

  it('leaves a dry run’s variables to sh, and nothing else', () => {
    const word = shellWord('a ${contig_x} $(id) "q" `id` $y')
    const said = execFileSync('sh', ['-c', `contig_x=X; printf %s ${word}`], { encoding: 'utf8' })
    expect(said).toBe('a X $(id) "q" `id` $y')
  })
})

describe('shellScript()', () => {
  it('writes texts to the letter', () => {
    const path = join(folder, 'text')
    for (const text of ['END\n$HOME `id` \\\n', '', 'no line break at the end\n']) {
      run([{ title: 'write', commands: [{ do: 'write', path, text }] }])
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
  })

  it('fills variables into a text, and leaves its other dollars alone', () => {
    const path = join(folder, 'filled')
    const ask = {
      do: 'ask' as const,
      variable: 'contig_v',
      pipeline: [
        ['echo', 'one two'],
        ['cut', '-d', ' ', '-f', '2'],
      ],
    }
    run([{ title: 'ask', commands: [ask, { do: 'write', path, text: 'a $(dir x) ${contig_v}\n' }] }])
    expect(readFileSync(path, 'utf8')).toBe('a $(dir x) two\n')
  })

  it('lets a thing appear under its name when it is whole, and makes it once', () => {
    const final = join(folder, 'made')
    const part = `${final}.part`
    const step = (text: string): Step => ({
      title: 'make',
      makes: { final, part },
      commands: [{ do: 'write', path: join(part, 'f'), text }],
    })
    run([step('first\n'), step('second\n')])
    expect(readFileSync(join(final, 'f'), 'utf8')).toBe('first\n')
  })

  it('ends at the first failure', () => {
    const steps: Step[] = [
      { title: 'fail', commands: [{ do: 'exec', argv: ['false'], limit: 1 }] },
      { title: 'go on', commands: [{ do: 'write', path: join(folder, 'never'), text: '' }] },
    ]
    expect(spawnSync('sh', { input: shellScript('a test', steps, () => false) }).status).toBe(1)
    expect(() => readFileSync(join(folder, 'never'))).toThrow()
  })
})
