// SPDX-License-Identifier: MIT
//
// Eleventy looks here. What it finds is bundled from site/eleventy.ts by `npm run build`.
export { config, configure as default } from './dist/eleventy.js'
