// SPDX-License-Identifier: MIT
//
// Serves a built site on this machine and to nobody else: it listens on 127.0.0.1, and answers only to that name, so
// that no page of another site can reach it by a name of its own. Headers come from the site's own headers.json, which a
// host may use too. With `reload`, pages get one more script, which loads them again when the site is built anew,
// and a service worker that an edition left behind is sent away.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve, sep } from 'node:path'
import sirv from 'sirv'
import { Complaint } from '../lib/complaint.ts'

export interface SiteServer {
  readonly url: string
  readonly port: number
  /** Tells every open page to load itself again. */
  reload(): void
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const EVENTS = '/__reload'
const SCRIPT = '/__reload.js'
/** Loads the page again on a word from the server, and after the server has come back. */
const RELOAD = `const source = new EventSource('${EVENTS}')
let known = ''
source.onmessage = ({ data }) => {
  if (known && data !== known) location.reload()
  known = data
}
`

const WORKER = '/worker.js'
/**
 * Served to an author in the place of the worker by which readers keep an edition (site/offline/). One may be at this
 * address from an earlier day, and would answer with its own pages: this one takes its place, its files, and leaves.
 */
const LEAVING_WORKER = `addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(leave()))
async function leave() {
  const ours = (await caches.keys()).filter((name) => name.startsWith('contiguous ' + registration.scope))
  await Promise.all(ours.map((name) => caches.delete(name)))
  await registration.unregister()
  for (const page of await clients.matchAll({ type: 'window' })) page.navigate(page.url)
}
`

interface HeaderRule {
  readonly match: string
  readonly headers: Readonly<Record<string, string>>
}

/** The headers of an address, from the rules that match it; a later rule wins. */
function headersFor(folder: string, path: string): Record<string, string> {
  const file = join(folder, 'headers.json')
  if (!existsSync(file)) return {}
  const rules = JSON.parse(readFileSync(file, 'utf8')) as HeaderRule[]
  return Object.assign(
    {},
    ...rules.filter(({ match }) => new RegExp(match).test(path)).map(({ headers }) => headers),
  )
}

/** The HTML file that an address means, or null when it means none. */
function htmlFile(folder: string, path: string): string | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return null
  }
  const file = resolve(folder, '.' + decoded + (decoded.endsWith('/') ? 'index.html' : ''))
  if (!file.startsWith(resolve(folder) + sep) || !file.endsWith('.html')) return null
  return existsSync(file) && statSync(file).isFile() ? file : null
}

function sendHtml(response: ServerResponse, status: number, file: string, reload: boolean): void {
  const html = readFileSync(file, 'utf8')
  const sent = reload ? html.replace('</body>', `<script src="${SCRIPT}" defer></script></body>`) : html
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(sent)
}

/** Listens; rejects with a Complaint when the port is taken. Port 0 takes any free one. */
export async function serveSite(options: {
  folder: string
  port: number
  reload: boolean
}): Promise<SiteServer> {
  const { folder, reload } = options
  // A number that no earlier server on this port has used: a page left open reloads when the server is back.
  let build = Date.now()
  const listeners = new Set<ServerResponse>()
  const files = sirv(folder, { dev: true, etag: true })

  const subscribe = (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write(`retry: 500\ndata: ${build}\n\n`)
    listeners.add(response)
    request.on('close', () => listeners.delete(response))
  }

  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo
    if (![`${HOST}:${port}`, `localhost:${port}`].includes(request.headers.host ?? '')) {
      response.writeHead(403).end(`This server answers as ${HOST}:${port} only.\n`)
      return
    }
    const path = (request.url ?? '/').replace(/[?#].*$/, '')
    for (const [name, value] of Object.entries(headersFor(folder, path))) response.setHeader(name, value)
    if (reload && path === EVENTS) return subscribe(request, response)
    const script = reload ? { [SCRIPT]: RELOAD, [WORKER]: LEAVING_WORKER }[path] : undefined
    if (script !== undefined) {
      response.writeHead(200, {
        'Content-Type': 'text/javascript; charset=utf-8',
        'Cache-Control': 'no-store',
      })
      response.end(script)
      return
    }
    const html = htmlFile(folder, path)
    if (html) return sendHtml(response, 200, html, reload)
    files(request, response, () => {
      const missing = join(folder, '404.html')
      if (existsSync(missing)) sendHtml(response, 404, missing, reload)
      else response.writeHead(404).end('Nothing is built here yet.\n')
    })
  })

  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      fail(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? portComplaint(options.port, error.code)
          : error,
      )
    })
    server.listen(options.port, HOST, done)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${HOST}:${port}/`,
    port,
    reload() {
      build += 1
      for (const listener of listeners) listener.write(`data: ${build}\n\n`)
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function portComplaint(port: number, code: string): Complaint {
  const why = code === 'EADDRINUSE' ? 'is in use' : 'may not be used by you'
  return new Complaint({
    text: `port ${port} of ${HOST} ${why}`,
    exitCode: 1,
    next: [
      `Take another: contig read --port ${port < 65535 ? Math.max(1024, port + 1) : 7070}`,
      'or any free one: --port 0',
    ],
  })
}
