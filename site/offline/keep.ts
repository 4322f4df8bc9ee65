// SPDX-License-Identifier: MIT
//
// The page's side of reading offline: registers the worker that the manifest names, says at the foot of the page how much
// is kept, and offers a newer edition. Loaded when the page is idle. Whatever is refused here (storage, workers, a file)
// leaves the page as it was.
import { fill } from '../client/words.ts'
import type { Asked, KeptState } from './list.ts'
import { offerNewer } from './newer.ts'
import { offlineWords } from './words.ts'

/** localStorage: 'no' once the reader has asked us to keep nothing, 'yes' once to keep it after all. */
const CHOICE = 'contiguous:offline'

function choice(): string | null {
  try {
    return localStorage.getItem(CHOICE)
  } catch {
    return null
  }
}

function choose(what: 'yes' | 'no'): void {
  try {
    localStorage.setItem(CHOICE, what)
  } catch {
    // Then the choice lasts as long as the page.
  }
}

const words = (await offlineWords()).kept

/** The line at the foot of the page. What it says changes nothing above it. */
const line = document.createElement('p')
line.className = 'kept'
const said = document.createElement('span')
said.setAttribute('role', 'status')
const button = document.createElement('button')
button.type = 'button'
line.append(said, ' ', button)

function say(text: string, label: string, act: () => void): void {
  if (!line.isConnected) document.querySelector('.foot')?.append(line)
  if (said.textContent !== text) said.textContent = text
  button.textContent = label
  button.onclick = act
}

/** `9.4 MB`: as a browser counts storage. */
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

function showState({ kept, all, readable, failed }: KeptState): void {
  const values = { kept: megabytes(kept), all: megabytes(all) }
  const text =
    kept === all ? words.ready : readable ? (failed ? words.partly : words.readable) : words.fetching
  say(fill(text, values), words.remove, () => void remove())
}

const manifest = document.querySelector<HTMLLinkElement>('link[rel="manifest"]')?.href ?? location.href
/** The top of the site, which the worker answers for: where the manifest lies. */
const scope = new URL('./', manifest).href

/** What is to be registered, as the manifest says; null for a course that is served without a worker. */
async function workerUrl(): Promise<URL | null> {
  const answer = await fetch(manifest)
  if (!answer.ok) return null
  const { serviceworker } = (await answer.json()) as { serviceworker?: { src: string } }
  return serviceworker ? new URL(serviceworker.src, manifest) : null
}

async function register(): Promise<void> {
  const url = await workerUrl()
  if (!url) return
  const container = navigator.serviceWorker
  container.addEventListener('message', ({ data }: MessageEvent<KeptState>) => {
    if (data.kind === 'state') showState(data)
  })
  const registration = await container.register(url, { scope, updateViaCache: 'none' })
  offerNewer(registration)
  const { installing } = registration
  if (!registration.active && installing) {
    say(words.beginning, words.remove, () => void remove())
    await activation(installing)
  }
  const ask = { kind: 'fill' } satisfies Asked
  registration.active?.postMessage(ask)
}

/** Resolves when the worker answers for the site. @throws Error when it could not keep what it must */
function activation(worker: ServiceWorker): Promise<void> {
  return new Promise((done, fail) => {
    const look = (): void => {
      if (worker.state === 'activated') done()
      if (worker.state === 'redundant') fail(new Error('the worker was not installed'))
    }
    worker.addEventListener('statechange', look)
    look()
  })
}

function keep(): void {
  register().catch(() => say(words.refused, words.again, keepAgain))
}

function keepAgain(): void {
  choose('yes')
  keep()
}

/** Takes everything away again, and remembers that it was not wanted. */
async function remove(): Promise<void> {
  choose('no')
  const registration = await navigator.serviceWorker.getRegistration(scope)
  await registration?.unregister()
  for (const name of await caches.keys())
    if (name.startsWith(`contiguous ${scope} `)) await caches.delete(name)
  offer()
}

const offer = (): void => say(words.offer, words.keep, keepAgain)

/** Readers who pay for what they fetch, or who said no, are asked first. */
export function keepCourse(): void {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } }
  const wanted = choice()
  if (wanted === 'no' || (connection?.saveData && wanted !== 'yes')) offer()
  else keep()
}
