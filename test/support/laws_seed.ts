// SPDX-License-Identifier: MIT
//
// The seed of the laws: the same in every ordinary run, so that a red run is a change's doing. `npm run laws` draws others,
// and more operations; a failure prints the seed, and LAWS_SEED=… makes that run again.
import fc from 'fast-check'

const wish = process.env['LAWS_SEED']

export const LAWS_SEED = wish === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(wish ?? 20_261_121)

/** How many times as much as in an ordinary run. */
export const LAWS_TIMES = Number(process.env['LAWS_TIMES'] ?? 1)

if (!Number.isInteger(LAWS_SEED) || !(LAWS_TIMES > 0)) {
  throw new Error(
    `LAWS_SEED=${wish}, LAWS_TIMES=${process.env['LAWS_TIMES']}: expected an integer (or random) and a number above 0`,
  )
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: LAWS_SEED })
