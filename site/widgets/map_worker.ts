// SPDX-License-Identifier: MIT
//
// The worker that boots a machine for a map. It answers once and is ended then: the struct pages of 64 GiB are 360 MB, and
// the map is 22.
import { pageMap, type MapScenario } from './map_states.ts'

/** What comes back: the map, or why there is none. */
export type MapAnswer =
  | { readonly map: ReturnType<typeof pageMap>; readonly failure: null }
  | { readonly map: null; readonly failure: string }

/** The part of a worker's global scope that is used here (the project is typed with the DOM). */
interface Scope {
  postMessage(message: MapAnswer, transfer?: Transferable[]): void
  addEventListener(type: 'message', listener: (event: { data: MapScenario }) => void): void
}

const scope = globalThis as unknown as Scope

scope.addEventListener('message', ({ data }) => {
  try {
    const map = pageMap(data)
    scope.postMessage(
      { map, failure: null },
      map.levels.map(({ cells }) => cells.buffer as ArrayBuffer),
    )
  } catch (error) {
    scope.postMessage({ map: null, failure: error instanceof Error ? error.message : String(error) })
  }
})
