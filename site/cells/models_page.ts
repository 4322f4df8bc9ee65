// SPDX-License-Identifier: MIT
//
// Where the built files lie, seen from the client's own address, and the models by name.
import type { Models } from './imports.ts'

/** Put in by build.ts: addresses of the built files, relative to the client. */
declare const CELL_ASSETS: { worker: string; modules: Record<string, string> }

/** The address of a file that lies beside the client. */
export const beside = (path: string): string => new URL(path, import.meta.url).href

export const workerUrl = beside(CELL_ASSETS.worker)

export const models: Models = {
  names: Object.keys(CELL_ASSETS.modules),
  addressOf: (specifier) =>
    Object.hasOwn(CELL_ASSETS.modules, specifier) ? beside(CELL_ASSETS.modules[specifier] ?? '') : null,
}

/** Models by name again, in a message of the engine that gives their addresses. */
export function withoutAddresses(text: string): string {
  return text.replace(/https?:\/\/[^\s'"]+\.js/g, (address) => {
    return models.names.find((name) => models.addressOf(name) === address) ?? address
  })
}
