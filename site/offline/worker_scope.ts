// SPDX-License-Identifier: MIT
//
// The part of a service worker's global scope that worker.ts uses. TypeScript's own library for it cannot stand beside
// the one for pages.

export interface LongEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}

export interface AskedEvent extends LongEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}

export interface ToldEvent extends LongEvent {
  readonly data: unknown
}

export interface Reader {
  readonly id: string
  postMessage(message: unknown): void
}

export interface WorkerScope {
  readonly registration: { readonly scope: string }
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Reader[]>
    claim(): Promise<void>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: LongEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: AskedEvent) => void): void
  addEventListener(type: 'message', listener: (event: ToldEvent) => void): void
}
