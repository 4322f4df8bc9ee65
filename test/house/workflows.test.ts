// SPDX-License-Identifier: MIT
//
// The workflows run elsewhere: here it is seen that they can. Each step is an action of a major version, or a command with
// options that this project has.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { registerBuild } from '../../code/cli/build.ts'
import { TOOLS } from '../../code/lab/tools.ts'
import { filesUnder, root } from '../support/files.ts'

interface Workflow {
  readonly jobs: Record<string, { readonly needs?: string; readonly steps: readonly Step[] }>
}
interface Step {
  readonly id?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Record<string, unknown>
}

describe('the workflows', () => {
  const files = filesUnder('.github/workflows', '.yml')
  const workflows = files.map((file) => parse(readFileSync(join(root, file), 'utf8')) as Workflow)
  const steps = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap((job) => job.steps))

  it('use actions of a major version, and Node of the version that this project asks for', () => {
    expect(files).toContain('.github/workflows/pages.yml')
    const actions = steps.flatMap(({ uses }) => uses ?? [])
    expect(actions.filter((uses) => !/^actions\/[a-z-]+@v\d+$/.test(uses))).toEqual([])
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      engines: { node: string }
    }
    const node = steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))?.with?.['node-version']
    expect(engines.node).toContain(`>=${String(node)}.`)
  })

  it('run commands that there are, with options that they have', () => {
    const program = new Command()
    registerBuild(program)
    const options = program.commands[0]!.options.map(({ long }) => long)
    const commands = steps.flatMap(({ run }) => run?.trim().split('\n') ?? [])
    expect(commands).toContain('npm ci')
    const ours = commands.filter((command) => command.startsWith('npx contig build '))
    const others = commands.filter((command) => !ours.includes(command) && command !== 'npm ci')
    expect(others.filter((command) => !/^(apt-get|git config) /.test(command))).toEqual([])
    expect(ours.length).toBeGreaterThan(0)
    for (const command of ours) {
      expect([...command.matchAll(/--[a-z-]+/g)].filter(([option]) => !options.includes(option))).toEqual([])
    }
  })

  it('install what contig build --pdf needs', () => {
    const installed = steps.flatMap(({ run = '' }) => /apt-get install (.*)/.exec(run)?.[1]?.split(' ') ?? [])
    const needed = TOOLS.filter(({ purpose }) => purpose === 'browser').map((tool) => tool.package)
    expect(needed.filter((name) => !installed.includes(name))).toEqual([])
  })

  it('name steps and jobs that there are', () => {
    for (const [index, { jobs }] of workflows.entries()) {
      const ids = Object.values(jobs).flatMap((job) => job.steps.flatMap(({ id }) => id ?? []))
      const text = readFileSync(join(root, files[index]!), 'utf8')
      for (const [, id] of text.matchAll(/steps\.(\w+)\.outputs/g)) expect(ids).toContain(id)
      for (const { needs } of Object.values(jobs)) if (needs) expect(Object.keys(jobs)).toContain(needs)
    }
  })
})
