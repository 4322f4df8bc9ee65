// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest'
import { kernelVersion } from '../../code/lab/debian_kernel.ts'
import { debianSources } from '../../code/lab/debian_sources.ts'
import { packageRecords } from '../../code/lab/private_apt.ts'

const sources = (path: string, text: string): string => debianSources([{ path, text }], 'bookworm')

describe('debianSources()', () => {
  it('takes Debian’s own from lines, without their limit to an architecture', () => {
    const text = [
      '# deb http://one.example/debian bookworm main',
      'deb-src http://one.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://one.example/debian bookworm-updates main contrib # x',
    ].join('\n')
    expect(sources('/etc/apt/sources.list', text)).toBe(
      'Types: deb\nURIs: http://one.example/debian\nSuites: bookworm-updates\nComponents: main contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n',
    )
  })

  it('takes Debian’s own from paragraphs', () => {
    const text =
      'Types: deb deb-src\n# a remark\nURIs: http://one.example/debian\nSuites: bookworm bookworm-security\nComponents: main\nArchitectures: amd64\n\nEnabled: no\nTypes: deb\nURIs: http://two.example/debian\nSuites: bookworm\nComponents: main\n'
    expect(sources('x.sources', text)).toBe(
      'Types: deb\nURIs: http://one.example/debian\nSuites: bookworm bookworm-security\nComponents: main\n',
    )
  })

  it('leaves third parties out', () => {
    expect(sources('a.list', 'deb http://three.example/linux bookworm stable')).toBe('')
    expect(sources('a.list', 'deb http://three.example/node nodistro main')).toBe('')
    expect(
      sources('a.list', 'deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://three.example bookworm main'),
    ).toBe('')
    expect(sources('a.list', 'deb http://three.example/debian trixie main')).toBe('')
  })
})

describe('packageRecords()', () => {
  it('reads what apt-cache shows', () => {
    const text =
      'Package: a\nVersion: 1:2-3\nArchitecture: arm64\nDepends: b (= 2), c\nSHA256: 00ff\n\nPackage: b\nVersion: 2\n'
    expect(packageRecords(text)).toEqual([
      { name: 'a', version: '1:2-3', arch: 'arm64', sha256: '00ff', depends: 'b (= 2), c' },
      { name: 'b', version: '2', arch: '', sha256: '', depends: '' },
    ])
  })
})

describe('kernelVersion()', () => {
  it('takes the patch level out of a package version', () => {
    expect(kernelVersion('6.1.192-2')).toBe('6.1.192')
    expect(kernelVersion('6.12.117-1~deb12u1')).toBe('6.12.117')
  })
})
