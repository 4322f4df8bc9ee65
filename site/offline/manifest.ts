// SPDX-License-Identifier: MIT
//
// What makes the course installable: its name, its colours and its icons. Addresses are relative to the manifest's own, so
// that the folder may be served from anywhere. The icons are drawn by site/icons.ts.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../paths.ts'
import { FIRST } from '../languages.ts'
import { MANIFEST } from './write_worker.ts'

const ICONS = [
  { file: 'icon-192.png', sizes: '192x192', purpose: 'any' },
  { file: 'icon-512.png', sizes: '512x512', purpose: 'any' },
  { file: 'maskable-192.png', sizes: '192x192', purpose: 'maskable' },
  { file: 'maskable-512.png', sizes: '512x512', purpose: 'maskable' },
] as const

/** Copies an icon under a name that holds its hash; gives its address from the top. */
function placed(file: string, outDir: string): string {
  const content = readFileSync(join(root, 'site/icons', file))
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 8)
  const name = `assets/${file.replace('.png', `-${hash}.png`)}`
  mkdirSync(join(outDir, 'assets'), { recursive: true })
  writeFileSync(join(outDir, name), content)
  return name
}

/** Writes the manifest and its icons. */
export function writeManifest(outDir: string): void {
  const manifest = {
    name: FIRST.name,
    short_name: FIRST.name,
    description: FIRST.description,
    lang: FIRST.lang,
    id: './',
    start_url: './',
    scope: './',
    display: 'standalone',
    // A reader goes back and loads again more than a program's user does.
    display_override: ['minimal-ui', 'standalone'],
    background_color: '#fbf8f1',
    theme_color: '#1c5b45',
    icons: ICONS.map(({ file, sizes, purpose }) => ({
      src: placed(file, outDir),
      sizes,
      type: 'image/png',
      purpose,
    })),
  }
  writeFileSync(join(outDir, MANIFEST), JSON.stringify(manifest, null, 2) + '\n')
}
