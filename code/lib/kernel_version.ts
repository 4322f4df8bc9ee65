// SPDX-License-Identifier: MIT
//
// The kernel as a parameter. Stable trees take backports, so a model names the patch level it mimics: behaviour of
// 6.1.192 that v6.1 did not have is behaviour of 6.1.192.

// #region kernel-version
/** Those of the modelled patch levels that know /reserved-memory: the binding came with v3.15. */
export const RESERVED_MEMORY_KERNELS = ['4.6', '4.12.4', '6.1.192', '6.12.117'] as const
/** The patch levels the models mimic, oldest first. */
export const KERNEL_VERSIONS = ['3.5', '3.9', ...RESERVED_MEMORY_KERNELS] as const
export type KernelVersion = (typeof KERNEL_VERSIONS)[number]

/** Whether `kernel` is `since` or newer. */
export function kernelAtLeast(kernel: KernelVersion, since: KernelVersion): boolean {
  return KERNEL_VERSIONS.indexOf(kernel) >= KERNEL_VERSIONS.indexOf(since)
}

/** The architectures the models know. */
export type Arch = 'arm' | 'arm64'
// #endregion kernel-version

// #region modelled-kernel
/**
 * The modelled patch level for a kernel that runs somewhere, by its release string or package version.
 * `exact` is false when the series is modelled at another patch level; null when the series is not modelled at all.
 */
export function modelledKernel(release: string): { kernel: KernelVersion; exact: boolean } | null {
  const match = /^(\d+\.\d+)(?:\.(\d+))?/.exec(release)
  if (!match) return null
  const kernel = KERNEL_VERSIONS.find((known) => known === match[1] || known.startsWith(`${match[1]}.`))
  if (!kernel) return null
  return { kernel, exact: kernel === match[0] }
}
// #endregion modelled-kernel
