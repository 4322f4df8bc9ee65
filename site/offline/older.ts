// SPDX-License-Identifier: MIT
//
// Editions that were here before. Their pages may still be open, and go on fetching parts of their scripts: so their
// shelves stay until none of those pages is left. What is known of them is noted on our own shelf, because a worker is
// ended whenever the browser likes:
//
//   at install    the shelves there are: all of them older. One that appears later is a newer edition's, and not ours to touch
//   at activate   the pages that are open: all of them of an older edition
import type { Shelf } from './shelf.ts'
import type { Reader, WorkerScope } from './worker_scope.ts'

const SHELVES = 'assets/older-shelves'
const READERS = 'assets/older-readers'

/** Every open page of the site. */
export function openPages(clients: WorkerScope['clients']): Promise<readonly Reader[]> {
  return clients.matchAll({ type: 'window', includeUncontrolled: true })
}

export class OlderEditions {
  private readonly shelf: Shelf
  private readonly clients: WorkerScope['clients']

  constructor(shelf: Shelf, clients: WorkerScope['clients']) {
    this.shelf = shelf
    this.clients = clients
  }

  async noteShelves(): Promise<void> {
    await this.write(SHELVES, await this.shelf.others())
  }

  async noteReaders(): Promise<void> {
    await this.write(
      READERS,
      (await openPages(this.clients)).map(({ id }) => id),
    )
    await this.removeUnread()
  }

  /** Removes the older shelves once their last page is closed. */
  async removeUnread(): Promise<void> {
    const shelves = await this.read(SHELVES)
    if (shelves.length === 0) return
    const old = new Set(await this.read(READERS))
    if ((await openPages(this.clients)).some(({ id }) => old.has(id))) return
    await Promise.all(shelves.map((name) => caches.delete(name)))
    await this.write(SHELVES, [])
  }

  private async write(name: string, value: readonly string[]): Promise<void> {
    await (await this.shelf.own()).put(this.shelf.urlOf(name), new Response(JSON.stringify(value)))
  }

  private async read(name: string): Promise<string[]> {
    const found = await (await this.shelf.own()).match(this.shelf.urlOf(name))
    return found ? ((await found.json()) as string[]) : []
  }
}
