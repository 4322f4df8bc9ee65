// SPDX-License-Identifier: MIT
//
// The service worker: keeps an edition of the course whole, and answers from it.
//
//   install    everything of the stage `first`, or nothing: one file that cannot be had leaves the old worker in its place
//   waiting    until no page of the old edition is open, or a reader asks for the new one ('take-over')
//   activate   old shelves stay while pages of an old edition are open: these may still fetch their parts
//   fetch      what is on the shelf from there, the rest from the network; the API is kept as it is visited
//   message    'fill' fetches what is missing, sources too; 'state' asks how far that is
//
// Pages are answered from the shelf even while online: all of one edition, or a page might refer to scripts of another.
import type { Asked, KeptState, ListedFile } from './list.ts'
import { OlderEditions, openPages } from './older.ts'
import { Shelf } from './shelf.ts'
import type { AskedEvent, WorkerScope } from './worker_scope.ts'

/** The hash of this edition's list, put in by write_worker.ts. */
declare const EDITION: string

const scope = self as unknown as WorkerScope
const top = scope.registration.scope
const shelf = new Shelf(top, EDITION)
const older = new OlderEditions(shelf, scope.clients)

/** So many pages of the API and their files are kept; then the oldest goes. */
const MOST_VISITED = 200

async function keepFirst(): Promise<void> {
  // After a step back to an earlier edition its shelf may stand already, with readers.
  const before = await shelf.exists()
  try {
    await older.noteShelves()
    const first = (await shelf.list()).filter(({ stage }) => stage === 'first')
    await shelf.keep(await shelf.missing(first))
  } catch (error) {
    if (!before) await shelf.remove()
    throw error
  }
}

const bytesOf = (files: readonly ListedFile[]): number => files.reduce((sum, { size }) => sum + size, 0)

async function tellState(failed: boolean): Promise<void> {
  const files = await shelf.list()
  const missing = await shelf.missing(files)
  const all = bytesOf(files)
  const state: KeptState = {
    kind: 'state',
    kept: all - bytesOf(missing),
    all,
    readable: !missing.some(({ stage }) => stage === 'first'),
    failed,
  }
  for (const reader of await openPages(scope.clients)) reader.postMessage(state)
}

let filling: Promise<void> | null = null

/** Fetches all that is missing, once at a time; a browser may have thrown things away. */
function fill(): Promise<void> {
  filling ??= (async () => {
    let told = Date.now()
    const tellNow = (): void => {
      if (Date.now() - told < 500) return
      told = Date.now()
      void tellState(false)
    }
    const done = await shelf.keep(await shelf.missing(await shelf.list()), tellNow).then(
      () => true,
      () => false,
    )
    filling = null
    await older.removeUnread()
    await tellState(!done)
  })()
  return filling
}

/** From the shelf. A page without the slash at its end, or with its file's name, is sent to its proper address. */
async function onShelf(url: URL, isPage: boolean): Promise<Response | undefined> {
  const own = await shelf.own()
  const find = (path: string): Promise<Response | undefined> =>
    own.match(url.origin + path, { ignoreSearch: true, ignoreVary: true })
  const found = await find(url.pathname)
  if (found || !isPage) return found
  const proper = url.pathname.endsWith('/index.html')
    ? url.pathname.slice(0, -'index.html'.length)
    : `${url.pathname}/`
  return (await find(proper)) ? Response.redirect(url.origin + proper + url.search) : undefined
}

async function fromOtherShelf(request: Request): Promise<Response | undefined> {
  for (const name of await shelf.others()) {
    const found = await (await caches.open(name)).match(request, { ignoreVary: true })
    if (found) return found
  }
  return undefined
}

async function keepVisited(request: Request, answer: Response): Promise<void> {
  const visited = await shelf.visited()
  await visited.put(request, answer)
  const keys = await visited.keys()
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_VISITED)).map((key) => visited.delete(key)))
}

async function fromNetwork(event: AskedEvent, url: URL): Promise<Response> {
  const { request } = event
  const isApi = url.pathname.startsWith(new URL('api/', top).pathname)
  try {
    const answer = await fetch(request)
    // Storage may be full: then this page is not kept, and shown all the same.
    if (isApi && answer.ok && answer.status === 200)
      event.waitUntil(keepVisited(request, answer.clone()).catch(() => undefined))
    return answer
  } catch (error) {
    const visited = isApi ? await (await shelf.visited()).match(request, { ignoreVary: true }) : undefined
    if (visited) return visited
    if (request.mode === 'navigate') return Response.redirect(shelf.urlOf('offline/'))
    throw error
  }
}

async function answer(event: AskedEvent, url: URL): Promise<Response> {
  const isPage = event.request.mode === 'navigate'
  if (isPage) event.waitUntil(older.removeUnread())
  const kept = async (): Promise<Response | undefined> =>
    (await onShelf(url, isPage)) ?? (isPage ? undefined : await fromOtherShelf(event.request))
  // Where the shelves cannot be read, the course is what the server has.
  return (await kept().catch(() => undefined)) ?? fromNetwork(event, url)
}

scope.addEventListener('install', (event) => event.waitUntil(keepFirst()))
scope.addEventListener('activate', (event) =>
  event.waitUntil(older.noteReaders().then(() => scope.clients.claim())),
)
scope.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method === 'GET' && url.href.startsWith(top)) event.respondWith(answer(event, url))
})
scope.addEventListener('message', (event) => {
  const { kind } = event.data as Asked
  if (kind === 'take-over') event.waitUntil(scope.skipWaiting())
  else event.waitUntil(kind === 'fill' ? fill() : tellState(false))
})
