// SPDX-License-Identifier: MIT
//
// The caches of one site: a shelf for each edition, named by the site's address (an origin may have several sites) and the
// edition's hash, and one for pages of the API as they were visited. A shelf carries its own list, so that a newer edition
// takes over what has not changed instead of fetching it again.
import type { EditionList, ListedFile } from './list.ts'

/** How many files are asked for at a time. */
const AT_ONCE = 6

export class Shelf {
  private readonly scope: string
  private readonly edition: string

  constructor(scope: string, edition: string) {
    this.scope = scope
    this.edition = edition
  }

  private get prefix(): string {
    return `contiguous ${this.scope} `
  }

  private get listUrl(): string {
    return this.urlOf(`assets/edition-${this.edition}.json`)
  }

  urlOf(address: string): string {
    return new URL(address, this.scope).href
  }

  own(): Promise<Cache> {
    return caches.open(this.prefix + this.edition)
  }

  visited(): Promise<Cache> {
    return caches.open(`${this.prefix}visited`)
  }

  /** The names of the shelves of other editions of this site: older ones, and perhaps one that is being filled. */
  async others(): Promise<string[]> {
    const names = await caches.keys()
    const ours = [this.prefix + this.edition, `${this.prefix}visited`]
    return names.filter((name) => name.startsWith(this.prefix) && !ours.includes(name))
  }

  exists(): Promise<boolean> {
    return caches.has(this.prefix + this.edition)
  }

  async remove(): Promise<void> {
    await caches.delete(this.prefix + this.edition)
  }

  /** The list of this edition: from the shelf, else from the server, and then it is on the shelf. */
  async list(): Promise<readonly ListedFile[]> {
    const own = await this.own()
    const known = (await own.match(this.listUrl)) ?? (await fetchWhole(this.listUrl))
    await own.put(this.listUrl, known.clone())
    return ((await known.json()) as EditionList).files
  }

  /** Which of `files` are not on the shelf. */
  async missing(files: readonly ListedFile[]): Promise<ListedFile[]> {
    const here = new Set((await (await this.own()).keys()).map(({ url }) => url))
    return files.filter(({ address }) => !here.has(this.urlOf(address)))
  }

  /**
   * Puts `files` on the shelf; `each` is called after every one. Rejects when one cannot be had, has not the content that
   * the list promises, or finds no room.
   */
  async keep(files: readonly ListedFile[], each: () => void = () => undefined): Promise<void> {
    const own = await this.own()
    const unchanged = await this.onOtherShelves()
    const waiting = [...files]
    const fetchOn = async (): Promise<void> => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        const url = this.urlOf(file.address)
        await own.put(url, (await unchanged(file)) ?? (await fetchWhole(url, file.hash)))
        each()
      }
    }
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, fetchOn))
    } finally {
      // After one failure the others stop too.
      waiting.length = 0
    }
  }

  /** Finds a file by its content on the shelves of other editions. */
  private async onOtherShelves(): Promise<(file: ListedFile) => Promise<Response | undefined>> {
    const places = new Map<string, { cache: Cache; url: string }>()
    for (const name of await this.others()) {
      const cache = await caches.open(name)
      const edition = name.slice(this.prefix.length)
      const list = await cache.match(this.urlOf(`assets/edition-${edition}.json`))
      const { files }: EditionList = list ? ((await list.json()) as EditionList) : { files: [] }
      for (const { address, hash } of files)
        places.set(`${address} ${hash}`, { cache, url: this.urlOf(address) })
    }
    return async ({ address, hash }) => {
      const place = places.get(`${address} ${hash}`)
      return place?.cache.match(place.url)
    }
  }
}

/**
 * A file from the server, past what an intermediate cache may have of an earlier edition. With `hash`, an answer of another
 * content is refused: it would be of another edition, and refer to files that this one has not.
 */
async function fetchWhole(url: string, hash?: string): Promise<Response> {
  const answer = await fetch(url, { cache: 'no-cache', ...(hash ? { integrity: `sha256-${hash}` } : {}) })
  if (!answer.ok) throw new Error(`${url}: got status ${answer.status}, expected 200`)
  if (!answer.redirected) return answer
  // A page that was reached by a detour is refused as an answer to a reader who goes there.
  return new Response(await answer.blob(), { status: 200, headers: answer.headers })
}
