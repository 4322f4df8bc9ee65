// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Complaint } from '../../code/lib/complaint.ts'
import { loadLab, parseLab } from '../../code/lab/lab_file.ts'
import { findLab, listLabs } from '../../code/lab/lab_list.ts'
import { root as rootSlash } from '../support/files.ts'

const root = rootSlash.replace(/\/$/, '')

const told = (text: string): string[] =>
  parseLab(text, 'lab.yaml', root).diagnostics.map(
    ({ rule, line, column, text: what, note }) =>
      `${line}:${column} ${rule} ${what}${note ? ` (${note})` : ''}`,
  )

const good = `name: a-lab
title: A lab
kernels: ['6.1']
boots:
  - name: first
    steps:
      - shell: 'true'
`

describe('parseLab()', () => {
  it('reads a lab', () => {
    const { lab, diagnostics } = parseLab(good, 'lab.yaml', root)
    expect(diagnostics).toEqual([])
    expect(lab).toMatchObject({ name: 'a-lab', modules: [], programs: [], boots: [{ name: 'first' }] })
  })

  it('offers the nearest known key for an unknown one, at its place', () => {
    expect(told(good.replace('kernels', 'kernals'))).toContain(
      '3:1 lab-unknown-key kernals: unknown key (did you mean kernels?)',
    )
    expect(told(good.replace('steps', 'stesp'))).toContain(
      '6:5 lab-unknown-key boots[0].stesp: unknown key (did you mean steps?)',
    )
    expect(told(good.replace('shell', 'shel'))[0]).toBe(
      '7:9 lab-unknown-key boots[0].steps[0].shel: unknown key (did you mean shell?)',
    )
    expect(told(`${good}    expect: { log: { musst: [x] } }\n`)).toEqual([
      '8:22 lab-unknown-key boots[0].expect.log.musst: unknown key (did you mean must?)',
    ])
  })

  it('refuses a regular expression that is none, at its place', () => {
    expect(told(`${good}    expect: { log: { must: ['/(/'] } }\n`)[0]).toMatch(
      /^8:2\d lab-value boots\[0\]\.expect\.log\.must\[0\].*a regular expression that JavaScript takes/,
    )
    expect(told(`${good}    expect: { log: { must: ['/a(b)/i', '/half'] } }\n`)).toEqual([])
  })

  it('wants calls beside compare, and a scenario beside compare and trace, in a file that is there', () => {
    expect(told(`${good}    calls: { seed: 1, scenarios: 5 }\n`)).toEqual([
      '8:12 lab-value boots[0].calls: expected only beside compare, got {"seed":1,"scenarios":5}',
    ])
    expect(told(`${good}    compare: model\n    scenario: no-such.yaml\n`)).toEqual([
      '9:15 lab-value boots[0].scenario: expected only beside trace, got "no-such.yaml"',
    ])
    expect(told(`${good}    compare: model\n    trace: [cma]\n    scenario: no-such.yaml\n`)).toEqual([
      '10:15 lab-missing-file boots[0].scenario: there is no no-such.yaml',
    ])
  })

  it('lists the known keys when none is near', () => {
    expect(told(`${good}zzzzzz: 1\n`)[0]).toMatch(
      /^8:1 lab-unknown-key zzzzzz: unknown key \(known here: name, title, /,
    )
  })

  it('tells a wrong type or value with what it got', () => {
    expect(told(`${good}timeout: soon\n`)).toEqual(['8:10 lab-value timeout: expected a number, got "soon"'])
    expect(told(good.replace("'6.1'", "'5.10'"))[0]).toMatch(
      /^3:11 lab-value kernels\[0\]: .*"6.1", "6.12", "lab", "debug", got "5.10"( |$)/,
    )
    expect(told(good.replace('A lab', '3'))).toEqual(['2:8 lab-value title: expected text, got 3'])
  })

  it('tells a missing key at the object that misses it', () => {
    expect(told(good.replace('name: first', "ram: '1G'"))).toEqual([
      '5:5 lab-missing-key boots[0].name: missing',
    ])
  })

  it('tells a missing file', () => {
    expect(told(`${good}    tree: kernel/dts/nowhere.dtso\n`)).toEqual([
      '8:11 lab-missing-file boots[0].tree: there is no kernel/dts/nowhere.dtso',
    ])
    expect(told(`${good}modules: [kernel/nowhere]\n`)).toEqual([
      '8:11 lab-missing-file modules[0]: there is no kernel/nowhere',
    ])
  })

  it('tells a step that names what the lab does not build', () => {
    const text =
      good.replace("shell: 'true'", 'load: reserved_coherrent') + 'modules: [kernel/reserved_coherent]\n'
    expect(told(text)).toEqual([
      '7:15 lab-unknown-name boots[0].steps[0].load: this lab builds no module reserved_coherrent (did you mean reserved_coherent?)',
    ])
  })

  it('refuses a step of two verbs or none', () => {
    expect(told(good.replace("shell: 'true'", 'exit: 1'))[0]).toMatch(/expected one of load, run, .*got none/)
    expect(
      told(good.replace("shell: 'true'", "{ shell: 'true', bind: { driver: a, device: b } }"))[0],
    ).toMatch(/got shell and bind/)
    expect(told(good.replace("shell: 'true'", "{ shell: 'true', args: [x] }"))[0]).toMatch(
      /args: expected only beside run/,
    )
  })

  it('tells YAML that is none, and a key that stands twice', () => {
    expect(told('name: [a\nboots: 1')[0]).toMatch(/^\d+:\d+ lab-yaml /)
    expect(told(`${good}name: again\n`)[0]).toMatch(/^8:1 lab-yaml this key stands here twice/)
    expect(told('')[0]).toMatch(/lab-/)
  })
})

describe('loadLab()', () => {
  it('complains with exit code 2 and the place', () => {
    const load = (): unknown => loadLab('test/lab/fixtures/unknown-key.yaml', root)
    expect(load).toThrow(Complaint)
    try {
      load()
    } catch (error) {
      expect((error as Complaint).exitCode).toBe(2)
      expect((error as Complaint).message).toContain(
        'test/lab/fixtures/unknown-key.yaml:5:5: error: boots[0].tre: unknown key',
      )
    }
  })

  it('complains of a file that is not there', () => {
    expect(() => loadLab('chapters/nowhere.yaml', root)).toThrow(
      `there is no lab file ${join(root, 'chapters/nowhere.yaml')}`,
    )
    expect(() => loadLab('chapters', root)).toThrow('there is no lab file')
  })
})

describe('listLabs()', () => {
  it('reads every lab of the book', () => {
    const files = readdirSync(join(root, 'chapters'), { recursive: true, encoding: 'utf8' })
    expect(listLabs(root)).toHaveLength(
      files.filter((file) => /^[^/]+\/(lab|labs\/[^/]+)\.yaml$/.test(file)).length,
    )
    expect(listLabs(root).map((lab) => lab.name)).toContain('reserved-coherent')
  })
})

describe('findLab()', () => {
  it('offers the nearest name', () => {
    try {
      findLab(root, 'reserved-coherant')
      expect.unreachable()
    } catch (error) {
      expect((error as Complaint).exitCode).toBe(2)
      expect((error as Complaint).next).toEqual(['did you mean reserved-coherent?'])
    }
  })
})
