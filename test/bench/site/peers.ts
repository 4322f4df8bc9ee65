// SPDX-License-Identifier: MIT
//
// Four generators of documentation as their own guides set them up, with the plain book in them. They are installed
// outside the checkout, at pinned versions that run on Node 20; Sphinx comes from Debian.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlainPage } from './plain_book.ts'

export interface Peer {
  readonly name: string
  /** What npm installs; none for Sphinx. */
  readonly packages: Readonly<Record<string, string>>
  /** The program, from the peer's folder. */
  readonly build: readonly string[]
  /** Where the pages come to lie, and what a build leaves for the next. */
  readonly out: string
  readonly left: readonly string[]
  /** Of these, what must go for the next build to hold an edit. */
  readonly stale: readonly string[]
  /** The file that holds a page's Markdown. */
  source(slug: string): string
  /** The file of a built page, from `out`. */
  page(slug: string): string
  /** Files of the set-up; text by path. */
  readonly files: Readonly<Record<string, string>>
  /** What stands before a page's text. */
  readonly head: (page: PlainPage) => string
}

const titled = ({ title }: PlainPage): string => `---\ntitle: ${JSON.stringify(title)}\n---\n\n`
const untitled = (): string => ''
/** Sphinx is Debian's, whichever Python comes first in PATH. */
export const DEBIANS_PYTHON = '/usr/bin/python3'
/** Starlight prints the title itself. */
const INDEX = '# Contiguous\n'

export const PEERS: readonly Peer[] = [
  {
    name: 'Sphinx',
    packages: {},
    build: [DEBIANS_PYTHON, '-m', 'sphinx', '-q', '-b', 'html', '-j', 'auto', 'source', 'out'],
    out: 'out',
    left: ['out'],
    stale: [],
    source: (slug) => `source/${slug}.md`,
    page: (slug) => `${slug}.html`,
    head: untitled,
    files: {
      'source/conf.py': "project = 'Contiguous'\nextensions = ['myst_parser']\nhtml_theme = 'alabaster'\n",
      'source/index.md': `${INDEX}\n\`\`\`{toctree}\n:glob:\n*\n\`\`\`\n`,
    },
  },
  {
    name: 'VitePress',
    packages: { vitepress: '1.6.4', 'markdown-it-footnote': '4.0.0' },
    build: ['node_modules/.bin/vitepress', 'build', 'docs'],
    out: 'docs/.vitepress/dist',
    left: ['docs/.vitepress/dist', 'docs/.vitepress/cache'],
    stale: [],
    source: (slug) => `docs/${slug}.md`,
    page: (slug) => `${slug}.html`,
    head: untitled,
    files: {
      'docs/.vitepress/config.mjs': [
        "import footnote from 'markdown-it-footnote'",
        "export default { title: 'Contiguous', ignoreDeadLinks: true, markdown: { config: (md) => md.use(footnote) }, vue: { template: { compilerOptions: { delimiters: ['\\u0001', '\\u0002'] } } } }",
        '',
      ].join('\n'),
      'docs/index.md': INDEX,
    },
  },
  {
    name: 'Docusaurus',
    packages: {
      '@docusaurus/core': '3.10.1',
      '@docusaurus/plugin-content-docs': '3.10.1',
      '@docusaurus/theme-classic': '3.10.1',
      react: '19.2.0',
      'react-dom': '19.2.0',
    },
    build: ['node_modules/.bin/docusaurus', 'build'],
    out: 'build',
    left: ['build', '.docusaurus', 'node_modules/.cache'],
    stale: [],
    source: (slug) => `docs/${slug}.md`,
    page: (slug) => `${slug}/index.html`,
    head: (page) => `---\nslug: /${page.slug}\n---\n\n`,
    files: {
      'docusaurus.config.js': [
        'module.exports = {',
        "  title: 'Contiguous', url: 'https://example.org', baseUrl: '/', onBrokenLinks: 'ignore',",
        "  markdown: { format: 'md', hooks: { onBrokenMarkdownLinks: 'ignore' } }, onBrokenAnchors: 'ignore',",
        "  plugins: [['@docusaurus/plugin-content-docs', { routeBasePath: '/', numberPrefixParser: false }]],",
        "  themes: ['@docusaurus/theme-classic'],",
        '}',
        '',
      ].join('\n'),
      'docs/index.md': `---\nslug: /\n---\n\n${INDEX}`,
    },
  },
  {
    name: 'Starlight',
    packages: { '@astrojs/starlight': '0.37.7', astro: '5.18.2' },
    build: ['node_modules/.bin/astro', 'build', '--silent'],
    out: 'dist',
    left: ['dist', '.astro', 'node_modules/.astro'],
    // Astro writes its store of rendered pages while it renders; for a book of this size, a page rendered during the first
    // write is not in the second (`#writeFileAtomic()` in dist/content/mutable-data-store.js, 5.18.2).
    stale: ['node_modules/.astro'],
    source: (slug) => `src/content/docs/${slug}.md`,
    page: (slug) => `${slug}/index.html`,
    head: titled,
    files: {
      'astro.config.mjs': [
        "import { defineConfig } from 'astro/config'",
        "import starlight from '@astrojs/starlight'",
        "export default defineConfig({ telemetry: false, integrations: [starlight({ title: 'Contiguous' })] })",
        '',
      ].join('\n'),
      'src/content.config.ts': [
        "import { defineCollection } from 'astro:content'",
        "import { docsLoader } from '@astrojs/starlight/loaders'",
        "import { docsSchema } from '@astrojs/starlight/schema'",
        'export const collections = { docs: defineCollection({ loader: docsLoader(), schema: docsSchema() }) }',
        '',
      ].join('\n'),
      'src/content/docs/index.md': '---\ntitle: Contiguous\n---\n',
    },
  },
]

/** Writes the peer's set-up and the book into its folder; what an earlier run wrote is written again. */
export function writePeer(peer: Peer, folder: string, pages: readonly PlainPage[]): void {
  const files = {
    ...peer.files,
    ...Object.fromEntries(
      pages.map((page) => [peer.source(page.slug), peer.head(page) + bodyFor(peer, page)]),
    ),
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** Starlight prints a page's title itself; all others want it as the first heading. */
function bodyFor(peer: Peer, page: PlainPage): string {
  return peer.head === titled ? page.markdown.replace(/^# .*\n/, '') : page.markdown
}

/** Removes what builds left: all of it before a cold one. */
export function forget(left: readonly string[], folder: string): void {
  for (const path of left) rmSync(join(folder, path), { recursive: true, force: true })
}

/** True when the folder holds the versions that npm is asked for. */
export function isInstalled(peer: Peer, folder: string): boolean {
  return Object.entries(peer.packages).every(([name, version]) => {
    const manifest = join(folder, 'node_modules', name, 'package.json')
    if (!existsSync(manifest)) return false
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version === version
  })
}
