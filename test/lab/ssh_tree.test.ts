// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { lacksOf, overlayDoubts, overlayForBoard } from '../../code/lab/ssh_tree.ts'
import { parseDts } from '../../code/of/dts_parser.ts'
import { readFdt } from '../../code/of/fdt_reader.ts'
import { type DeviceTree, findNode } from '../../code/of/tree.ts'

function dts(source: string): DeviceTree {
  const { tree, diagnostics } = parseDts(source, 'test.dts')
  if (!tree) throw new Error(JSON.stringify(diagnostics))
  return tree
}

const overlay = (): DeviceTree =>
  dts(`/dts-v1/; /plugin/;
&{/} {
  #address-cells = <2>; #size-cells = <2>;
  memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
  reserved-memory {
    #address-cells = <2>; #size-cells = <2>; ranges;
    pool: buffer@50000000 { compatible = "shared-dma-pool"; no-map; reg = <0 0x50000000 0 0x1000000>; };
  };
  client { compatible = "contiguous,reserved-coherent"; memory-region = <&pool>; };
};`)

const board = (
  what: { reg?: string; noMap?: string; region?: string; ram?: string; cells?: number } = {},
): DeviceTree => {
  const { reg = '<0 0x50000000 0 0x1000000>', noMap = 'no-map;', region = '&pool', cells = 2 } = what
  const ram = what.ram ?? '<0 0x40000000 0 0x40000000>'
  return dts(`/dts-v1/;
/ {
  #address-cells = <${cells}>; #size-cells = <${cells}>;
  memory@40000000 { device_type = "memory"; reg = ${ram}; };
  reserved-memory {
    #address-cells = <2>; #size-cells = <2>; ranges;
    other: other@60000000 { no-map; reg = <0 0x60000000 0 0x1000>; };
    pool: buffer@50000000 { compatible = "shared-dma-pool"; ${noMap} reg = ${reg}; };
  };
  client { compatible = "contiguous,reserved-coherent"; memory-region = <${region}>; };
};`)
}

describe('lacksOf()', () => {
  it('finds nothing where the tree has all of it, other phandles and all', () => {
    expect(lacksOf(overlay(), board())).toEqual([])
  })

  it('names a node that is not there', () => {
    expect(lacksOf(overlay(), dts('/dts-v1/; / { };'))).toEqual([
      'no node /reserved-memory',
      'no node /reserved-memory/buffer@50000000',
      'no node /client',
    ])
  })

  it('names what differs, both sides', () => {
    expect(lacksOf(overlay(), board({ reg: '<0 0x50000000 0 0x800000>' }))).toEqual([
      '/reserved-memory/buffer@50000000: reg is <0x0 0x50000000 0x0 0x800000>, not <0x0 0x50000000 0x0 0x1000000>',
    ])
    expect(lacksOf(overlay(), board({ noMap: '' }))).toEqual([
      '/reserved-memory/buffer@50000000 has no no-map',
    ])
    expect(lacksOf(overlay(), board({ region: '&other' }))).toEqual([
      '/client: memory-region is /reserved-memory/other@60000000, not /reserved-memory/buffer@50000000',
    ])
  })
})

describe('overlayForBoard()', () => {
  it('leaves out the virtual board’s RAM and the root’s cell counts, and nothing else', () => {
    const { blob, memory } = overlayForBoard(overlay())
    const written = readFdt(blob)
    const body = findNode(written, '/fragment@0/__overlay__')
    expect(memory).toBe(true)
    expect(body?.children.map(({ name }) => name)).toEqual(['reserved-memory', 'client'])
    expect(body?.properties.map(({ name }) => name)).toEqual([])
    const region = findNode(written, '/fragment@0/__overlay__/reserved-memory/buffer@50000000')
    expect(region?.properties.map(({ name }) => name)).toEqual(['compatible', 'no-map', 'reg', 'phandle'])
  })
})

describe('overlayDoubts()', () => {
  it('has none about a region in the board’s RAM', () => {
    expect(overlayDoubts(overlay(), board())).toEqual([])
  })

  it('tells of a region where the board has no RAM', () => {
    expect(overlayDoubts(overlay(), board({ ram: '<0 0x80000000 0 0x40000000>' }))).toEqual([
      '/reserved-memory/buffer@50000000 takes 0x50000000 to 0x50ffffff, where this board has no RAM (0x80000000 to 0xbfffffff): choose another place',
    ])
  })

  it('tells of a tree that counts addresses in other cells', () => {
    const [cells] = overlayDoubts(overlay(), board({ cells: 1, ram: '<0x40000000 0x40000000>' }))
    expect(cells).toContain('counts addresses and sizes in 1 and 1 cells, the overlay in 2 and 2')
  })
})
