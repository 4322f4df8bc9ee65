// SPDX-License-Identifier: MIT
//
// The machine of the model that stands beside a kernel which has booted: the same tree, the same command line, and what that
// kernel took for itself.
import { gunzipSync } from 'node:zlib'
import { Complaint } from '../lib/complaint.ts'
import { type KernelVersion, modelledKernel } from '../lib/kernel_version.ts'
import { MiB } from '../lib/units.ts'
import type { KernelConfig } from '../machine/config.ts'
import { observeBoot } from '../machine/observed.ts'
import { type SystemOptions } from '../machine/system.ts'
import { readFdt } from '../of/fdt_reader.ts'
import type { Observed } from './run_lab.ts'

/** What the kernel said while it booted. */
export const kernelSpeech = ({ bootLog, dmesg }: Observed): string => (bootLog ?? dmesg).join('\n')

// kernel/configs/lab-arm.config differs from Debian's armmp, which the models take for 6.12 on arm: its largest buddy block,
// and with it a page block, is 4 MiB.
const LAB_ARM: Partial<KernelConfig> = {
  maxOrder: 10,
  pageblockOrder: 10,
  cmaAlignment: MiB(4),
  cmaAreas: 20,
}

function treeOf(observed: Observed): Uint8Array {
  const bytes = Buffer.from(observed.collected['fdt'] ?? '', 'base64')
  return Uint8Array.from(bytes.subarray(0, 2).toString('hex') === '1f8b' ? gunzipSync(bytes) : bytes)
}

/** The model's kernel for the one that was observed. @throws Complaint when there is none */
export function kernelBeside(observed: Observed): { kernel: KernelVersion; exact: boolean } {
  const modelled = modelledKernel(observed.kernel)
  if (!modelled) throw new Complaint({ text: `no model of Linux ${observed.kernel}` })
  return modelled
}

/**
 * What the model beside an observed kernel is started with, startSystem() as well as bootMachine().
 * @throws Complaint when this kernel is not modelled, or its log lacks what the model has to be told
 */
export function optionsBeside(observed: Observed): SystemOptions {
  const { kernel } = kernelBeside(observed)
  const { arch = 'arm64' } = observed
  const blob = treeOf(observed)
  const kallsyms = observed.collected['kallsyms'] ?? ''
  return {
    ...{ tree: readFdt(blob, '/sys/firmware/fdt'), kernel, arch },
    ...(arch === 'arm' ? { config: LAB_ARM } : {}),
    ...observeBoot({ console: kernelSpeech(observed), kallsyms, dtbSize: blob.length, kernel, arch }),
  }
}
