import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import * as built from 'tertulia/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../support/engines.ts'

/** The built server, which includes the pages. */
async function aServer(options: built.ServerOptions = {}): Promise<string> {
  const quiet = { info() {}, warn() {}, error() {} }
  const server = await built.createServer({
    port: 0,
    host: '127.0.0.1',
    dataDir: temporaryFolder(),
    shards: 'inline',
    logger: quiet,
    ...options,
  })
  onTestFinished(() => server.close())
  return server.url
}

/** A request as given; `fetch` would decompress, and hide the encoding. */
function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const sent = request(url, { headers, method, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      sent.once('error', reject)
      sent.end()
    },
  )
}

describe('the pages', () => {
  it('are served compressed, with a policy that allows files of this server only', async () => {
    const { status, headers, body } = await get(`${await aServer()}/`, { 'accept-encoding': 'br, gzip' })
    expect([status, headers['content-encoding'], headers['cache-control']]).toEqual([200, 'br', 'no-cache'])
    expect(String(headers['vary'])).toContain('Accept-Encoding')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers['referrer-policy']).toBe('no-referrer')
    const page = brotliDecompressSync(body).toString()
    expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=/)
  })

  it('are served in an encoding that the client accepts, and to HEAD without a body', async () => {
    const url = await aServer()
    const decode = { br: brotliDecompressSync, gzip: gunzipSync, none: (body: Buffer) => body }
    for (const [encoding, expected] of [
      ['identity', 'none'],
      ['gzip; q=0.0', 'none'],
      ['deflate, br;q=0', 'none'],
      ['gzip, deflate', 'gzip'],
      ['GZIP;q=0.5, br;q=0', 'gzip'],
      ['gzip;q=0, br', 'br'],
      ['*', 'br'],
    ] as const) {
      const { headers, body } = await get(`${url}/`, { 'accept-encoding': encoding })
      expect([encoding, headers['content-encoding'] ?? 'none']).toEqual([encoding, expected])
      expect(decode[expected](body).toString()).toMatch(/^<!doctype html>/i)
    }
    const head = await get(`${url}/`, { 'accept-encoding': 'gzip' }, 'HEAD')
    const { headers } = await get(`${url}/`, { 'accept-encoding': 'gzip' })
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe(headers['content-length'])
  })

  it('name assets by their content: stored for a year, the rest is validated by its ETag', async () => {
    const url = await aServer()
    const page = (await get(`${url}/`)).body.toString()
    const assets = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, path]) => path)
    expect(assets.length).toBeGreaterThan(1)
    for (const path of assets) {
      const { headers } = await get(`${url}/${path}`)
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
    for (const path of ['', 'sw.js', 'mount.js', 'manifest.webmanifest']) {
      const first = await get(`${url}/${path}`)
      expect([path, first.headers['cache-control']]).toEqual([path, 'no-cache'])
      const tag = String(first.headers['etag'])
      for (const sent of [tag, `"other", W/${tag}`]) {
        const second = await get(`${url}/${path}`, { 'if-none-match': sent })
        expect([path, second.status, second.body.length]).toEqual([path, 304, 0])
      }
    }
  })

  it('have no other files', async () => {
    const url = await aServer()
    for (const path of [
      'files.json',
      'index.js',
      'index.html.br',
      'assets/',
      'assets/../files.json',
      '%2e%2e/package.json',
    ]) {
      expect([path, (await get(`${url}/${path}`)).status]).toEqual([path, 404])
    }
  })

  it('are not there with WEB=off, nor is their sign-in', async () => {
    const on = await aServer()
    const page = (await get(`${on}/`)).body.toString()
    const [, asset] = /src="\.\/(assets\/[^"]+)"/.exec(page) ?? []
    const url = await aServer({ web: 'off' })
    for (const path of [
      '',
      'admin',
      'asyncapi',
      'mount.js',
      'sw.js',
      'manifest.webmanifest',
      asset,
      'trial',
    ]) {
      expect([path, (await get(`${on}/${path}`)).status]).toEqual([path, 200])
      expect([path, (await get(`${url}/${path}`)).status]).toEqual([path, 404])
    }
    expect((await get(`${url}/healthz`)).status).toBe(200)
  })

  it('can be imported by pages of allowed origins', async () => {
    const url = await aServer()
    const refused = await get(`${url}/mount.js`, { origin: 'https://other.example' })
    expect(refused.status).toBe(403)
  })
})
