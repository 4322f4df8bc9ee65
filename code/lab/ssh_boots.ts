// SPDX-License-Identifier: MIT
//
// Which boots of a lab a running board can stand for. Each of them wants something of the machine: a device tree, words
// on the command line, a device. What is there already is there; the rest is told, and for a tree also written down.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DeviceTree } from '../of/tree.ts'
import { type KernelTag, speaksOf } from './kernels.ts'
import type { Lab } from './lab_file.ts'
import type { LabBoot } from './lab_schema.ts'
import type { BoardFacts } from './ssh_facts.ts'
import { lacksOf, readOverlay, writeOverlay } from './ssh_tree.ts'

/** A boot that this board cannot stand for. */
export interface SkippedBoot {
  readonly boot: string
  readonly reason: string
  /** What to do about it, a line each. */
  readonly next: readonly string[]
}

/** A boot that it can, and what of it is left out. */
export interface WantedBoot {
  readonly boot: LabBoot
  readonly notes: readonly string[]
}

const PCI: Readonly<Record<string, string>> = { edu: '1234:11e8' }

const wordsOf = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter(Boolean)

// A word with a value is in the way of the same word with another.
function cmdlineSkip(lab: Lab, boot: LabBoot, facts: BoardFacts): Omit<SkippedBoot, 'boot'> | null {
  const has = wordsOf(facts.cmdline)
  const lacks = [...wordsOf(lab.board?.cmdline), ...wordsOf(boot.cmdline)].filter(
    (word) => !has.includes(word),
  )
  if (lacks.length === 0) return null
  return {
    reason: `it needs ${lacks.join(' ')} on the kernel’s command line, and the board was booted without`,
    next: [
      'add it where your boot loader keeps the command line (extlinux.conf: append; Raspberry Pi: cmdline.txt; GRUB: GRUB_CMDLINE_LINUX), reboot the board yourself, run the same again',
    ],
  }
}

function treeSkip(
  lab: Lab,
  boot: LabBoot,
  live: DeviceTree | null,
  overlays: string,
): Omit<SkippedBoot, 'boot'> | null {
  if (boot.tree === undefined) return null
  const source = join(lab.root, boot.tree)
  if (live === null) {
    return {
      reason: `it needs ${boot.tree} in the device tree, and this board has no /sys/firmware/fdt to look into`,
      next: ['a board that boots by ACPI has no device tree: such a lab cannot run on it'],
    }
  }
  const overlay = readOverlay(source, boot.tree)
  const lacks = lacksOf(overlay, live)
  if (lacks.length === 0) return null
  const name = boot.tree.replace(/^.*\//, '').replace(/\.dtso$/, '')
  const folder = join(overlays, name)
  const { file, doubts } = writeOverlay(folder, name, { overlay, source, live, lacks })
  const first = lacks.length > 1 ? `${lacks[0]}, and ${lacks.length - 1} more` : lacks[0]
  return {
    reason: `its device tree has to change, and memory is set aside only while a kernel boots: ${first}`,
    next: [
      `the overlay is ${file}; what your boot loader does with it: ${join(folder, 'README')}`,
      ...doubts.map((line) => `beware: ${line}`),
      'reboot the board yourself, then run the same again',
    ],
  }
}

/**
 * Sorts a lab's boots. Overlays that a board lacks are written below `overlays`.
 * @param live - the tree that the board booted with; null when it has none
 */
export function bootsOnBoard(
  lab: Lab,
  kernel: KernelTag,
  what: {
    facts: BoardFacts
    live: DeviceTree | null
    overlays: string
    only?: readonly string[] | undefined
  },
): { wanted: WantedBoot[]; skipped: SkippedBoot[] } {
  const wanted: WantedBoot[] = []
  const skipped: SkippedBoot[] = []
  for (const boot of lab.boots) {
    if (what.only && !what.only.includes(boot.name)) continue
    const devices = (boot.devices ?? lab.board?.devices ?? []).map((each) => each.split(',')[0] ?? '')
    const device = devices.find((each) => !what.facts.pci.includes(PCI[each] ?? ''))
    const skip = ((): Omit<SkippedBoot, 'boot'> | null => {
      if (!speaksOf(boot.kernels, kernel))
        return {
          reason: `it is for Linux ${boot.kernels?.join(', ')}, and the board runs ${what.facts.release}`,
          next: [],
        }
      if ((boot.steps ?? []).length === 0)
        return { reason: 'it looks at how a kernel boots, and has no step for one that runs', next: [] }
      if (device !== undefined)
        return { reason: `it needs the device ${device}, which QEMU has and this board has not`, next: [] }
      if (boot.iommu !== undefined)
        return { reason: `it needs QEMU’s ${boot.iommu}, and a board’s own IOMMU is another`, next: [] }
      return cmdlineSkip(lab, boot, what.facts) ?? treeSkip(lab, boot, what.live, what.overlays)
    })()
    if (skip) skipped.push({ boot: boot.name, ...skip })
    else wanted.push(wantedOf(boot))
  }
  return { wanted, skipped }
}

// A model is compared by what a kernel says from its first line on; a board that runs has said it.
function wantedOf(boot: LabBoot): WantedBoot {
  if (boot.compare === undefined) return { boot, notes: [] }
  const { compare, ...rest } = boot
  return { boot: rest, notes: [`not compared with the ${compare}: that needs a kernel’s first lines`] }
}

/** Whether a lab asks for a device tree at all. */
export const asksForTree = (lab: Lab): boolean =>
  lab.boots.some((boot) => boot.tree !== undefined && existsSync(join(lab.root, boot.tree)))
