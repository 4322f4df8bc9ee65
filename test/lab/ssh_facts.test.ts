// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { type BoardFacts, boardArch, obstacle, readFacts } from '../../code/lab/ssh_facts.ts'

const SAID = `Welcome to this board!
@fact release 6.6.31+rpt-rpi-v8
@fact version #1 SMP PREEMPT Debian 1:6.6.31-1+rpt1 (2024-05-29)
@fact machine aarch64
@fact uid 1000
@fact sudo yes
@fact modules yes
@fact modules_disabled 0
@fact sig_enforce N
@fact lockdown [none] integrity confidentiality
@fact cmdline console=serial0,115200 cma=64M
@fact loaded reserved_coherent
@fact build_tree yes
@fact pci 0x1234:0x11e8
@fact system Debian GNU/Linux 12 (bookworm)
@fact end
`

const facts = (more: Partial<BoardFacts> = {}): BoardFacts => ({ ...readFacts(SAID)!, loaded: [], ...more })

describe('readFacts()', () => {
  it('reads what the script printed, and passes over what a login shell said', () => {
    expect(readFacts(SAID)).toEqual({
      release: '6.6.31+rpt-rpi-v8',
      version: '#1 SMP PREEMPT Debian 1:6.6.31-1+rpt1 (2024-05-29)',
      machine: 'aarch64',
      uid: 1000,
      sudo: 'yes',
      modules: true,
      modulesDisabled: false,
      signed: false,
      lockdown: 'none',
      cmdline: 'console=serial0,115200 cma=64M',
      loaded: ['reserved_coherent'],
      missing: [],
      buildTree: true,
      compiler: false,
      pci: ['1234:11e8'],
      system: 'Debian GNU/Linux 12 (bookworm)',
    })
  })

  it('takes a script that did not end for none', () => {
    expect(readFacts(SAID.replace('@fact end\n', ''))).toBeNull()
    expect(readFacts('bash: exec: sh: not found\n')).toBeNull()
  })
})

describe('boardArch()', () => {
  it.for([
    ['aarch64', 'arm64'],
    ['armv7l', 'arm'],
    ['armv6l', null],
    ['riscv64', null],
    ['x86_64', null],
  ] as const)('%s is built for as %s', ([machine, arch]) => {
    expect(boardArch(facts({ machine }))).toBe(arch)
  })
})

describe('obstacle()', () => {
  it('finds none on a board that has all', () => {
    expect(obstacle(facts(), 'board', ['reserved_coherent'])).toBeNull()
  })

  it('does not ask for modules when a lab has none', () => {
    expect(obstacle(facts({ modulesDisabled: true }), 'board', [])).toBeNull()
  })

  it.for([
    [
      { machine: 'riscv64' },
      'board is a riscv64; modules and programs are built for aarch64 and armv7l alone',
    ],
    [{ modules: false }, 'board: its kernel has no loadable modules (CONFIG_MODULES is off)'],
    [{ loaded: ['a_module'] }, 'board: a_module is loaded there already, by somebody else'],
    [
      { lockdown: 'confidentiality' },
      'board: its kernel is locked down (confidentiality), and takes signed modules alone',
    ],
  ] as const)('tells of %o, with a way out', ([more, text]) => {
    const found = obstacle(facts(more as Partial<BoardFacts>), 'board', ['a-module'])
    expect(found?.message).toBe(text)
    expect(found?.exitCode).toBe(4)
    expect(found?.next.join('')).not.toBe('')
  })
})
