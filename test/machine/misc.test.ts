// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { EAGAIN, EBUSY, EEXIST, ENODEV, ENOMEM } from '../../code/lib/errno.ts'
import type { KernelVersion } from '../../code/lib/kernel_version.ts'
import {
  createMisc,
  mayUnload,
  MISC_DYNAMIC_MINOR,
  misc_deregister,
  misc_open,
  misc_register,
  procMisc,
  type KernelModule,
  type Misc,
  type MiscDevice,
  type MiscFops,
} from '../../code/machine/misc.ts'
import { fput } from '../../code/mm/file.ts'
import { start } from '../dma/dma_system.ts'

const device = (name: string, minor = MISC_DYNAMIC_MINOR, fops: Partial<MiscFops> = {}): MiscDevice => ({
  name,
  minor,
  fops: { owner: null, ...fops },
})

/** Registers that many; their minors, or the errno. */
function dynamic(misc: Misc, count: number, prefix = 'd'): [MiscDevice[], number[]] {
  const devices = Array.from({ length: count }, (_, i) => device(`${prefix}${i}`))
  const said = devices.map((each) => misc_register(misc, each) || each.minor)
  return [devices, said]
}

describe('misc_register()', () => {
  test.each([
    ['3.9', [63, 62, 61]],
    ['6.1.192', [127, 126, 125]],
    ['6.12.117', [256, 257, 258]],
  ] as const)('MC-13.3: dynamic minors of %s are %j', (kernel, minors) => {
    expect(dynamic(createMisc(kernel), 3)[1]).toEqual(minors)
  })

  test.each([
    ['6.1.192', 126, [126, 124]],
    ['6.12.117', 257, [257, 259]],
  ] as const)('MC-13.3: a freed one is taken before a new one [%s]', (kernel, freed, next) => {
    const misc = createMisc(kernel)
    const [devices] = dynamic(misc, 3)
    misc_deregister(misc, devices[1]!)
    expect(misc.misc_minors.has(freed)).toBe(false)
    expect(dynamic(misc, 2, 'e')[1]).toEqual(next)
  })

  test('MC-13.3: 6.1 has 128 dynamic minors, then -EBUSY; 6.12 has more', () => {
    expect(dynamic(createMisc('6.1.192'), 130)[1].slice(126)).toEqual([1, 0, -EBUSY, -EBUSY])
    expect(dynamic(createMisc('6.12.117'), 130)[1].slice(126)).toEqual([382, 383, 384, 385])
  })

  test.each(['6.1.192', '6.12.117'] as const)('MC-13.3: a fixed minor in use is -EBUSY [%s]', (kernel) => {
    const misc = createMisc(kernel)
    expect(misc_register(misc, device('a', 144))).toBe(0)
    expect(misc_register(misc, device('b', 144))).toBe(-EBUSY)
    expect(procMisc(misc)).toBe('144 a\n')
  })

  test.each(['6.1.192', '6.12.117'] as const)(
    'refuses a name twice, and keeps no minor for it [%s]',
    (kernel) => {
      const misc = createMisc(kernel)
      const [, [first]] = dynamic(misc, 1)
      expect(misc_register(misc, device('d0'))).toBe(-EEXIST)
      expect(misc.misc_minors).toEqual(new Set([first]))
    },
  )

  test('6.1 hands out a dynamic minor that a driver has for its own, and /sys refuses it', () => {
    const misc = createMisc('6.1.192')
    expect(misc_register(misc, device('fixed', 127))).toBe(0)
    expect(misc_register(misc, device('dynamic'))).toBe(-EEXIST)
  })
})

describe('misc_deregister()', () => {
  test('6.12 makes a dynamic device dynamic again, 6.1 leaves it the number', () => {
    const minors = (['6.1.192', '6.12.117'] as const).map((kernel) => {
      const misc = createMisc(kernel)
      const [[only]] = dynamic(misc, 1)
      misc_deregister(misc, only!)
      return only!.minor
    })
    expect(minors).toEqual([127, MISC_DYNAMIC_MINOR])
  })

  test('throws for a device that is not there', () => {
    const misc = createMisc('6.12.117')
    expect(() => misc_deregister(misc, device('gone'))).toThrow('gone is not registered')
  })
})

describe('misc_open()', () => {
  const opened = (kernel: KernelVersion, fops: Partial<MiscFops>) => {
    const { vm } = start({ kernel, arch: kernel === '3.9' ? 'arm' : 'arm64' })
    const misc = createMisc(kernel)
    const owner: KernelModule = { name: 'driver', refs: 0 }
    const dev = device('driver', MISC_DYNAMIC_MINOR, { owner, ...fops })
    misc_register(misc, dev)
    return { vm, misc, dev, owner, open: () => misc_open(misc, vm, dev.minor) }
  }

  test.each(['6.1.192', '6.12.117'] as const)('MC-13.3: a removed minor is -ENODEV [%s]', (kernel) => {
    const { vm, misc, dev } = opened(kernel, {})
    const { minor } = dev
    misc_deregister(misc, dev)
    expect(misc_open(misc, vm, minor)).toBe(-ENODEV)
    expect(vm.files).toEqual([])
  })

  test('leaves the miscdevice in private_data, before 6.1 only for a driver with an open', () => {
    const file = opened('6.12.117', {}).open()
    expect(file).toMatchObject({ private_data: { name: 'driver' } })
    expect(opened('3.9', {}).open()).toMatchObject({ private_data: null })
    expect(opened('3.9', { open: () => 0 }).open()).toMatchObject({ private_data: { name: 'driver' } })
  })

  test('holds the module until the last reference to the file goes, also after misc_deregister()', () => {
    const { vm, misc, dev, owner, open } = opened('6.12.117', {})
    const file = open()
    if (typeof file === 'number') throw new Error(`misc_open: ${file}`)
    misc_deregister(misc, dev)
    expect([owner.refs, mayUnload(owner)]).toEqual([1, -EAGAIN])
    fput(vm, file)
    expect([owner.refs, mayUnload(owner)]).toEqual([0, 0])
  })

  test('says what the driver’s open says, and keeps nothing', () => {
    const released: string[] = []
    const fops = { open: () => -ENOMEM, release: () => released.push('release') }
    const { vm, owner, open } = opened('6.12.117', { open: fops.open, release: () => void fops.release() })
    expect(open()).toBe(-ENOMEM)
    expect([owner.refs, vm.files.length, released]).toEqual([0, 0, []])
  })
})
