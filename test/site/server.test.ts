// SPDX-License-Identifier: MIT
//
// The server of `contig read`.
import { get } from 'node:http'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, inject, it } from 'vitest'
import { serveSite } from '../../code/cli/site_server.ts'
import { Complaint } from '../../code/lib/complaint.ts'

const folder = inject('siteFolder')
const url = inject('siteUrl')

function statusOf(address: {
  port: number
  host?: string
  path?: string
  name?: string
}): Promise<number | string> {
  return new Promise((done) => {
    const request = get(
      {
        host: address.host ?? '127.0.0.1',
        port: address.port,
        path: address.path ?? '/',
        headers: address.name ? { host: address.name } : {},
        timeout: 3000,
      },
      (response) => {
        response.resume()
        done(response.statusCode ?? 0)
      },
    )
    request.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'error'))
  })
}

describe('serveSite()', () => {
  it('listens on 127.0.0.1 and on no other address of this machine', async () => {
    const { port } = new URL(url)
    expect(await statusOf({ port: Number(port) })).toBe(200)
    const others = Object.values(networkInterfaces())
      .flat()
      .filter(
        (network) => network !== undefined && network.family === 'IPv4' && network.address !== '127.0.0.1',
      )
    for (const network of [...others.map((other) => other!.address), '127.0.0.2']) {
      expect(await statusOf({ port: Number(port), host: network }), network).toBe('ECONNREFUSED')
    }
  })

  it('refuses to answer by another name, as a page elsewhere would call it', async () => {
    const port = Number(new URL(url).port)
    expect(await statusOf({ port, name: 'evil.example' })).toBe(403)
    expect(await statusOf({ port, name: `localhost:${port}` })).toBe(200)
  })

  it('answers 404 with a page, and never leaves its folder', async () => {
    const missing = await fetch(`${url}nowhere/`)
    expect(missing.status).toBe(404)
    expect(await missing.text()).toContain('No page here')
    const port = Number(new URL(url).port)
    expect(await statusOf({ port, path: '/..%2f..%2fetc/passwd' })).toBe(404)
    expect(await statusOf({ port, path: '/%2e%2e/%2e%2e/package.json' })).toBe(404)
  })

  it('sends the policy as a header', async () => {
    const page = await fetch(url)
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self' blob:; style-src 'self';/,
    )
    expect(await page.text()).not.toContain('__reload')
  })

  it('tells an open page to load again, and only then', async () => {
    const server = await serveSite({ folder, port: 0, reload: true })
    try {
      expect(await (await fetch(server.url)).text()).toContain(
        '<script src="/__reload.js" defer></script></body>',
      )
      const events = await fetch(`${server.url}__reload`)
      const reader = events.body!.getReader()
      const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
      const first = /data: (\d+)/.exec(await next())?.[1]
      server.reload()
      expect(Number(/data: (\d+)/.exec(await next())?.[1])).toBe(Number(first) + 1)
      await reader.cancel()
    } finally {
      await server.close()
    }
  })

  it('names the port that is taken, and the option that takes another', async () => {
    const other = createServer()
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
    const { port } = other.address() as { port: number }
    const failure: unknown = await serveSite({ folder, port, reload: false }).catch((error: unknown) => error)
    other.close()
    expect(failure).toBeInstanceOf(Complaint)
    const complaint = failure as Complaint
    expect(complaint.message).toBe(`port ${port} of 127.0.0.1 is in use`)
    expect(complaint.next.join()).toContain('contig read --port')
    expect(complaint.exitCode).toBe(1)
  })
})
