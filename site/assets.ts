// SPDX-License-Identifier: MIT
//
// Styles and scripts, each one file under a name that holds its hash. Cells bring their own (site/cells/build.ts).
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { readText, root } from './paths.ts'

export interface Assets {
  readonly css: string
  readonly theme: string
  readonly icon: string
}

/** Bundles into `outDir/assets/`, gives the addresses. */
export async function buildAssets(outDir: string): Promise<Assets> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { style: 'site/css/main.css', theme: 'site/client/theme.ts' },
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    entryNames: '[name]-[hash]',
    outdir: join(outDir, 'assets'),
    logLevel: 'warning',
    metafile: true,
  })
  const named = (start: string): string => {
    const file = Object.keys(result.metafile.outputs).find((path) => basename(path).startsWith(`${start}-`))
    return `/assets/${basename(file ?? '')}`
  }
  const icon = readText('site/favicon.svg')
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
  mkdirSync(join(outDir, 'assets'), { recursive: true })
  writeFileSync(join(outDir, 'assets', iconName), icon)
  return { css: named('style'), theme: named('theme'), icon: `/assets/${iconName}` }
}
