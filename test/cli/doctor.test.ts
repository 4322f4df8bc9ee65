// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { examinationText, examine } from '../../code/cli/doctor_examine.ts'
import { Complaint } from '../../code/lib/complaint.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { writeFdt } from '../../code/of/fdt_writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'contig-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))

const board = (nodes: string): string => `/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 {
		device_type = "memory";
		reg = <0x0 0x40000000 0x0 0xc0000000>;
	};
	reserved-memory {
		${nodes}
	};
};
`
const GOOD = `#address-cells = <2>; #size-cells = <2>; ranges;
		pool@c0000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0xc0000000 0x0 0x20000000>; };`
const IGNORED =
  'pool@c0000000 { compatible = "shared-dma-pool"; no-map; reg = <0x0 0xc0000000 0x0 0x20000000>; };'

function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, contents)
  return path
}

function complaintOf(path: string): Complaint {
  try {
    examine(path, { kernel: '6.12.117', arch: 'arm64' })
  } catch (error) {
    if (error instanceof Complaint) return error
    throw error
  }
  throw new Error(`no complaint about ${path}`)
}

describe('contig doctor', () => {
  it('examine() says the same of a source and of its blob', () => {
    const source = board(GOOD)
    const blob = writeFdt(parseDts(source, 'board.dts').tree!)
    const [fromSource, fromBlob] = [file('good.dts', source), file('good.dtb', blob)].map((path) =>
      examine(path, { kernel: '6.12.117', arch: 'arm64', cmdline: 'cma=0' }),
    )
    expect(fromSource!.log).toEqual(fromBlob!.log)
    expect(fromSource!.iomem).toBe(fromBlob!.iomem)
    expect(fromSource!.diagnostics).toEqual([])
    expect(examinationText(fromSource!)).toContain(
      'created DMA memory pool at 0x00000000c0000000, size 512 MiB',
    )
  })

  it('examine() finds what dtc warns of, and the kernel’s own words', () => {
    const { diagnostics, log } = examine(file('ignored.dts', board(IGNORED)), {
      kernel: '6.1.192',
      arch: 'arm64',
      cmdline: 'cma=0',
    })
    expect(diagnostics.map(({ rule }) => rule)).toContain('dts-reg-format')
    expect(log).toEqual(['OF: fdt: Reserved memory: unsupported node format, ignoring'])
  })

  it('examine() complains of a syntax error with line and column', () => {
    const complaint = complaintOf(file('bad.dts', board(GOOD).replace('no-map;', 'no-map reg;')))
    expect(complaint.message).toMatch(/bad\.dts:11:\d+: error: .*\[dts-/)
    expect(complaint.exitCode).toBe(1)
  })

  it('examine() complains of a truncated blob, wherever it was cut', () => {
    const blob = writeFdt(parseDts(board(GOOD), 'board.dts').tree!)
    for (const length of [0, 3, 4, 39, 100, blob.length - 1]) {
      expect(complaintOf(file('cut.dtb', blob.subarray(0, length))).message).toMatch(/cut\.dtb: at byte 0x/)
    }
  })

  it('examine() says so of an address that the model can only round', () => {
    const swapped = board(GOOD).replace('<0x0 0xc0000000 0x0 0x20000000>', '<0xc0000000 0x8 0x20000000 0x0>')
    const { diagnostics } = examine(file('swapped.dts', swapped), { kernel: '6.12.117', arch: 'arm64' })
    expect(diagnostics.map(({ rule }) => rule)).toContain('reserved-memory-beyond-model')
  })

  it('examine() complains of a file that is not there, and of a board without RAM', () => {
    expect(complaintOf(join(folder, 'missing.dts')).exitCode).toBe(2)
    expect(complaintOf(file('empty.dts', '/dts-v1/; / { };')).message).toContain('no RAM')
  })
})
