// SPDX-License-Identifier: MIT
//
// The Debian packages that the book's tools need, each for its purpose: the one list that `contig setup`, the labs and
// the tests look at. The list for the board is what building a module against Debian's headers and booting it was seen
// to need, with nothing else on the machine; flex, bison, bc and headers are for building a kernel.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Complaint } from '../lib/complaint.ts'

export type Purpose = 'board' | 'browser' | 'kernel' | 'arm32' | 'check' | 'ssh' | 'book'

export interface Tool {
  /** The Debian package. */
  readonly package: string
  readonly purpose: Purpose
  /** Programs that are there when the package is. */
  readonly commands: readonly string[]
  /** Files that are there when the package is; any one is enough. */
  readonly files?: readonly string[]
  readonly why: string
}

const C_LIBRARY = ['/usr/aarch64-linux-gnu/lib/libc.a', '/usr/lib/aarch64-linux-gnu/libc.a']

export const TOOLS: readonly Tool[] = [
  {
    package: 'qemu-system-arm',
    purpose: 'board',
    commands: ['qemu-system-aarch64'],
    why: 'the virtual board',
  },
  {
    package: 'gcc-aarch64-linux-gnu',
    purpose: 'board',
    commands: ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-ld'],
    why: 'builds modules and programs for it',
  },
  {
    package: 'libc6-dev-arm64-cross',
    purpose: 'board',
    commands: [],
    files: C_LIBRARY,
    why: 'the C library of its programs',
  },
  {
    package: 'device-tree-compiler',
    purpose: 'board',
    commands: ['dtc', 'fdtoverlay'],
    why: 'makes the board’s device tree',
  },
  { package: 'make', purpose: 'board', commands: ['make'], why: 'builds kernel modules' },
  { package: 'cpio', purpose: 'board', commands: ['cpio'], why: 'packs the board’s first file system' },
  { package: 'gcc', purpose: 'kernel', commands: ['gcc'], why: 'builds the programs that build a kernel' },
  {
    package: 'libc6-dev',
    purpose: 'kernel',
    commands: [],
    files: ['/usr/include/stdio.h'],
    why: 'the C library of those programs',
  },
  { package: 'flex', purpose: 'kernel', commands: ['flex'], why: 'reads the kernel’s options' },
  { package: 'bison', purpose: 'kernel', commands: ['bison'], why: 'reads the kernel’s options' },
  { package: 'bc', purpose: 'kernel', commands: ['bc'], why: 'computes the kernel’s time constants' },
  { package: 'perl', purpose: 'kernel', commands: ['perl'], why: 'writes some of the kernel’s headers' },
  { package: 'xz-utils', purpose: 'kernel', commands: ['xz'], why: 'unpacks the kernel’s sources' },
  {
    package: 'gcc-arm-linux-gnueabihf',
    purpose: 'arm32',
    commands: ['arm-linux-gnueabihf-gcc', 'arm-linux-gnueabihf-ld'],
    why: 'builds 32-bit programs and kernels',
  },
  {
    package: 'libc6-dev-armhf-cross',
    purpose: 'arm32',
    commands: [],
    files: ['/usr/arm-linux-gnueabihf/lib/libc.a', '/usr/lib/arm-linux-gnueabihf/libc.a'],
    why: 'the C library of 32-bit programs',
  },
  { package: 'openssh-client', purpose: 'ssh', commands: ['ssh'], why: 'reaches a real board' },
  { package: 'sparse', purpose: 'check', commands: ['sparse'], why: 'reads modules for wrong pointers' },
  { package: 'coccinelle', purpose: 'check', commands: ['spatch'], why: 'reads modules for known mistakes' },
  { package: 'chromium', purpose: 'browser', commands: ['chromium'], why: 'drives the pages in the tests' },
  {
    package: 'fonts-dejavu-core',
    purpose: 'browser',
    commands: [],
    files: ['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'],
    why: 'the letters by which diagrams are measured',
  },
  {
    package: 'fonts-liberation',
    purpose: 'browser',
    commands: [],
    files: ['/usr/share/fonts/truetype/liberation', '/usr/share/fonts/truetype/liberation2'],
    why: 'letters for the pages',
  },
  {
    package: 'fonts-noto-cjk',
    purpose: 'book',
    commands: [],
    files: ['/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc'],
    why: 'the Chinese letters of the PDF',
  },
  {
    package: 'poppler-utils',
    purpose: 'book',
    commands: ['pdfinfo', 'pdftohtml'],
    why: 'looks into the PDF',
  },
  {
    package: 'epubcheck',
    purpose: 'book',
    commands: ['java'],
    files: ['/usr/share/java/epubcheck.jar'],
    why: 'checks the EPUB',
  },
]

/** Where a program is, as the shell would find it; null when it is not there. */
export function findCommand(name: string, path: string = process.env['PATH'] ?? ''): string | null {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return file
    } catch {
      // Not in this folder.
    }
  }
  return null
}

/** Whether a tool is here. */
export function hasTool(tool: Tool, path?: string): boolean {
  const programs = tool.commands.every((name) => findCommand(name, path) !== null)
  return programs && (tool.files === undefined || tool.files.some((file) => existsSync(file)))
}

/** The tools for these purposes that are not here. */
export function missingTools(purposes: readonly Purpose[], path?: string): Tool[] {
  return TOOLS.filter((tool) => purposes.includes(tool.purpose) && !hasTool(tool, path))
}

/** The one command that installs them; run by root, or with sudo by anybody else. */
export function installCommand(missing: readonly Tool[], root: boolean = process.getuid?.() === 0): string[] {
  const packages = missing.map((tool) => tool.package)
  return [...(root ? [] : ['sudo']), 'apt-get', 'install', '-y', '--no-install-recommends', ...packages]
}

/** @throws Complaint (4) naming what is missing, its Debian package and the one command that installs it */
export function needTools(purposes: readonly Purpose[]): void {
  const missing = missingTools(purposes)
  if (missing.length === 0) return
  const told = missing.map((tool) => {
    const what = tool.commands.find((name) => findCommand(name) === null) ?? tool.files?.[0] ?? tool.package
    return `  ${what}: ${tool.why} (Debian package ${tool.package})`
  })
  throw new Complaint({
    text: ['this cannot run here, some programs are not installed:', ...told].join('\n'),
    exitCode: 4,
    next: [installCommand(missing).join(' ')],
  })
}
