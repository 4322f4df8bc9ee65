// SPDX-License-Identifier: MIT
//
// A page of nothing but cells, with the scripts that the site has and the policy of its pages.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCells } from '../../site/cells/build.ts'
import type { Cell, CellAssets } from '../../site/cells/types.ts'
import { PAGE_POLICY } from '../../site/policy.ts'
import { en } from '../../site/text/en.ts'
import { root } from './files.ts'

export interface CellPage {
  readonly assets: CellAssets
  /** Serves it, with the policy in a <meta> or in a header; `requests` collects every path asked for. */
  serve(
    how: 'meta' | 'headers',
    cells: readonly Cell[],
    requests?: string[],
  ): Promise<{ url: string; close(): void }>
  remove(): void
}

function pageOf(assets: CellAssets, cells: readonly Cell[], head: string): string {
  const words = JSON.stringify(en.scripts).replaceAll('<', '\\u003c')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cells</title>${head}
<link rel="icon" href="/icon.svg"><script type="application/json" id="words">${words}</script>
<script type="module" src="${assets.scriptUrl}"></script></head>
<body><main>${cells.map((cell) => assets.html(cell)).join('')}</main></body></html>`
}

export async function cellPage(): Promise<CellPage> {
  const folder = mkdtempSync(join(tmpdir(), 'contiguous-cells-page-'))
  const assets = await buildCells(root, folder)
  return {
    assets,
    async serve(how, cells, requests = []) {
      const meta = `<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}">`
      const page = pageOf(assets, cells, how === 'meta' ? meta : '')
      const server = createServer((request, response) => {
        const path = request.url ?? '/'
        requests.push(path)
        if (how === 'headers') response.setHeader('Content-Security-Policy', PAGE_POLICY)
        if (path === '/') return response.setHeader('Content-Type', 'text/html').end(page)
        if (path === '/icon.svg') {
          return response
            .setHeader('Content-Type', 'image/svg+xml')
            .end('<svg xmlns="http://www.w3.org/2000/svg"/>')
        }
        const file = join(folder, path)
        if (!existsSync(file)) return response.writeHead(404).end()
        return response.setHeader('Content-Type', 'text/javascript').end(readFileSync(file))
      })
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        close: () => server.close(),
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
