// SPDX-License-Identifier: MIT
//
// What a browser fetches to show a page: counted by the browser that fetches it, from a server that compresses as hosts do.
import { chromium } from 'playwright-core'
import { CHROMIUM, CHROMIUM_ARGS } from '../../../site/diagrams/render.ts'
import { compressingHost } from '../../support/compressing_host.ts'

/**
 * Bytes of a page of `folder` as they cross the wire, and those of its scripts, until the network has been quiet for half a
 * second. Without a service worker, which would fetch what is for later.
 */
export async function weigh(folder: string, page: string): Promise<{ all: number; script: number }> {
  const sent = { all: 0, script: 0 }
  const host = await compressingHost(folder, (type, bytes) => {
    sent.all += bytes
    if (type === 'text/javascript') sent.script += bytes
  })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: 60_000 })
  try {
    const tab = await browser.newPage({ serviceWorkers: 'block' })
    await tab.goto(host.url + page, { waitUntil: 'networkidle', timeout: 60_000 })
    return { ...sent }
  } finally {
    await browser.close()
    host.close()
  }
}
