// SPDX-License-Identifier: MIT
//
// The model beside the kernel: boots it from the device tree that the kernel got, tells it what that kernel took for
// itself, and compares what the two say. What the model is told is in code/machine/observed.ts; the rest it has to find.
import { modelledKernel } from '../lib/kernel_version.ts'
import { Complaint } from '../lib/complaint.ts'
import { bootMachine } from '../machine/boot.ts'
import { compareWithKernel, type Difference } from '../machine/conformance.ts'
import { observeBoot } from '../machine/observed.ts'
import { readFdt } from '../of/fdt_reader.ts'
import type { Observed } from './run_lab.ts'
import type { Compared } from './verdict.ts'

// What the kernel printed itself: lines that begin with a bar were handed over by the guest's init.
function kernelSpeech(console: string): string {
  return console
    .split('\n')
    .filter((line) => !line.startsWith('|'))
    .join('\n')
}

function told({ what, line, model, kernel }: Difference): string {
  return `${what} line ${line}: the kernel says ${kernel ?? 'nothing'}; the model says ${model ?? 'nothing'}`
}

/**
 * Boots the model of the kernel that was observed and compares their boot lines and the RAM part of /proc/iomem.
 * @throws Complaint when this kernel is not modelled, or its log lacks what the model has to be told
 */
export function compareModel(observed: Observed): Compared {
  const modelled = modelledKernel(observed.kernel)
  if (!modelled) throw new Complaint({ text: `no model of Linux ${observed.kernel}` })
  const blob = Uint8Array.from(Buffer.from(observed.collected['fdt'] ?? '', 'base64'))
  const { kernel } = modelled
  const console = kernelSpeech(observed.console)
  const machine = bootMachine({
    tree: readFdt(blob, '/sys/firmware/fdt'),
    kernel,
    arch: 'arm64',
    ...observeBoot({
      console,
      kallsyms: observed.collected['kallsyms'] ?? '',
      dtbSize: blob.length,
      kernel,
    }),
  })
  const { compared, different } = compareWithKernel(machine, {
    dmesg: console,
    iomem: observed.iomem,
  })
  const patchLevel = `the model is of ${kernel}, the kernel is ${observed.kernel}`
  const notes = different.length > 0 && !modelled.exact ? [patchLevel] : []
  return { compared, different: [...different.map(told), ...notes] }
}
