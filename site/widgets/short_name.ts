// SPDX-License-Identifier: MIT

/** A name of any length, in the room that there is for one. Unit: characters. */
export const shortName = (name: string, most: number): string =>
  name.length > most ? `${name.slice(0, most - 1)}…` : name
