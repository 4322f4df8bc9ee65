// SPDX-License-Identifier: MIT
//
// Builds page tables of two geometries with the model, asks the reader's walkTables() for every pointer, and compares with
// the model's own walk. When they differ, it looks for a single slip that explains every answer.
import type { CheckContext, CheckResult, Finding } from 'contiguous/exercise/check'
import { createPgtable, GEOMETRIES, setPte, walk, type Pgtable } from 'contiguous/arch/pgtable'
import { pgprot_dmacoherent, vm_get_page_prot } from 'contiguous/arch/pgtable_prot'
import { pfn_pte, pte_mkspecial, pte_pfn } from 'contiguous/arch/pgtable_pte'
import { PTE_VALID } from 'contiguous/arch/pgtable_arm64'
import { createRam, read64, type Ram } from 'contiguous/arch/ram'
import { VM_READ, VM_SHARED, VM_WRITE } from 'contiguous/mm/mmap_flags'

const FILE = 'walk_tables.ts'
const READ = 'From a pointer to a frame'
const hex = (n: number): string => `0x${n.toString(16)}`

type Walk = (read: (pa: number) => bigint, root: number, va: number, vaBits: number) => unknown

interface Pointer {
  readonly what: string
  readonly pgt: Pgtable
  readonly vaBits: number
  readonly va: number
  readonly expected: number | null
}

export async function check(context: CheckContext): Promise<CheckResult> {
  const walkTables = context.kind === 'typescript' ? context.module['walkTables'] : undefined
  if (typeof walkTables !== 'function') {
    return { findings: [finding('ex-export-missing', 'walkTables is not an exported function', [])] }
  }
  const all = pointers()
  const answers = all.map((pointer) => ask(walkTables as Walk, pointer))
  const wrong = all.filter((pointer, i) => answers[i] !== shown(pointer.expected))
  if (wrong.length === 0) {
    return { findings: [], shown: [`${all.length} pointers, the same answers as the model`] }
  }
  return { findings: [diagnose(all, answers)] }
}

function finding(rule: string, text: string, evidence: readonly string[]): Finding {
  return { rule, severity: 'error', file: FILE, line: 0, column: 0, text, evidence, read: READ }
}

const shown = (answer: unknown): string => (typeof answer === 'number' ? hex(answer) : String(answer))

// One answer as text. A read that no memory controller could do is part of it.
function ask(walkTables: Walk, { pgt, va, vaBits }: Pointer): string {
  let odd = 0
  const read = (pa: number): bigint => {
    if (pa % 8 !== 0) odd++
    return pa % 8 === 0 && pa >= 0 && pa < 2 ** 48 ? read64(pgt.ram, pa) : 0n
  }
  const answer = walkTables(read, pgt.root!, va, vaBits)
  return odd > 0 ? `read at an address that is no multiple of 8` : shown(answer)
}

// #region the oracle
function tables(ram: Ram, name: 'arm64-4k-48' | 'arm64-4k-39', from: number): Pgtable {
  let next = from
  const allocTable = (): number => (next += 4096)
  return createPgtable({ geometry: GEOMETRIES[name], ram, allocTable, freeTable: () => undefined })
}

function pointers(): Pointer[] {
  const ram = createRam()
  const prot = vm_get_page_prot('arm64', VM_READ | VM_WRITE | VM_SHARED)
  const frames = [0x50060, 0x50061, 0x8_c000, 0x1f_fe00, 0x48_0003]
  return ([48, 39] as const).flatMap((vaBits) => {
    const pgt = tables(ram, `arm64-4k-${vaBits}`, vaBits === 48 ? 0x4_8000_0000 : 0x5_4000_0000)
    const base = vaBits === 48 ? 0xffff_9a20_3000 : 0x7f_9a20_3000
    const places = [base, base + 4096, base - 2 ** 21, base - 2 ** 30, 0x40_0000]
    places.forEach((va, i) => {
      const pte = pfn_pte(pgt.geometry, frames[i]!, i % 2 ? prot : pgprot_dmacoherent('arm64', prot))
      setPte(pgt, va, pte_mkspecial('arm64', pte))
    })
    const none = base + 8192
    setPte(pgt, none, pfn_pte(pgt.geometry, 0x50062, prot) & ~PTE_VALID)
    const cases: [string, number][] = [
      ...places.flatMap((va): [string, number][] => [
        ['a page', va],
        ['a byte of it', va + 0x468],
      ]),
      ['a page that nobody may access', none + 8],
      ['no entry', base + 12288],
      ['no table', base - 2 ** 34],
    ]
    return cases.map(([what, va]) => ({ what, pgt, vaBits, va, expected: expectedOf(pgt, va) }))
  })
}

function expectedOf(pgt: Pgtable, va: number): number | null {
  const found = walk(pgt, va - (va % 4096))
  if (found === null || (found.pte & PTE_VALID) === 0n) return null
  return pte_pfn(pgt.geometry, found.pte) * 4096 + (va % 4096)
}
// #endregion the oracle

// #region known mistakes
interface Slip {
  readonly offsetLost?: boolean
  readonly attributes?: boolean
  readonly four?: boolean
  readonly bits32?: boolean
  readonly valid?: boolean
}

const byRules =
  (slip: Slip): Walk =>
  (read, root, va, vaBits) => {
    let at = root
    for (let shift = slip.four ? 39 : vaBits - 9; shift >= 12; shift -= 9) {
      const index = slip.bits32 ? (va >> shift) & 511 : Math.floor(va / 2 ** shift) % 512
      const entry = read(at + index * 8)
      if (slip.valid ? entry === 0n : (entry & 1n) === 0n) return null
      at = Number(slip.attributes ? entry - (entry % 4096n) : entry & 0xffff_ffff_f000n)
    }
    return slip.offsetLost ? at : at + (va % 4096)
  }

const MISTAKES: readonly { rule: string; text: string; slip: Slip }[] = [
  {
    rule: 'ex-offset-lost',
    text: 'every answer is the beginning of a page; the pointer’s twelve lowest bits are the byte in it',
    slip: { offsetLost: true },
  },
  {
    rule: 'ex-attributes-kept',
    text: 'the upper bits of an entry are taken for address: of 64 bits, 12 to 47 are the page',
    slip: { attributes: true },
  },
  {
    rule: 'ex-four-levels',
    text: 'addresses of 39 bits are walked through four tables; they have three, and the root is the second of the four',
    slip: { four: true },
  },
  {
    rule: 'ex-thirty-two-bits',
    text: 'the pointer is shifted as a number of 32 bits, and its upper half is lost',
    slip: { bits32: true },
  },
  {
    rule: 'ex-valid-ignored',
    text: 'an entry that is not 0 is followed; the MMU follows those whose lowest bit is set',
    slip: { valid: true },
  },
]
// #endregion known mistakes

function diagnose(all: readonly Pointer[], answers: readonly string[]): Finding {
  const evidence = all
    .map((pointer, i) => ({ pointer, answer: answers[i]! }))
    .filter(({ pointer, answer }) => answer !== shown(pointer.expected))
    .slice(0, 3)
    .map(({ pointer: { what, va, vaBits, expected }, answer }) => {
      return `${what}, ${hex(va)} of ${vaBits} bits: ${shown(expected)}, yours ${answer}`
    })
  if (answers.every((answer) => answer === 'null')) {
    return finding('ex-not-written', 'every pointer leads nowhere, so nothing is walked yet', evidence)
  }
  if (answers.some((answer) => answer.startsWith('read at'))) {
    const text = 'an entry is read at an address that is no multiple of eight: an index counts entries, not bytes'
    return finding('ex-index-not-scaled', text, evidence)
  }
  const found = MISTAKES.find(({ slip }) => all.every((pointer, i) => ask(byRules(slip), pointer) === answers[i]))
  if (found) return finding(found.rule, found.text, evidence)
  return finding('ex-other-address', 'some pointers lead elsewhere than in the model', evidence)
}
