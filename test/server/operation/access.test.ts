import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { startServer } from './server.ts'

const metricsToken = 'a-token-for-the-operators'
const paths = ['/metrics', '/api/stats']

async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  // Not with fetch, which sets Host itself.
  return await new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject).end()
  })
}

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

describe.each(paths)('%s without METRICS_TOKEN', (path) => {
  it('answers requests from this machine', async () => {
    const server = await startServer()
    expect(await status(`${server.url}${path}`)).toBe(200)
    expect(await status(`${server.url}${path}`, { host: `localhost:${server.port}` })).toBe(200)
  })

  it.each([
    ['a proxy that speaks for another', { 'x-forwarded-for': '203.0.113.7' }],
    ['a proxy that names the other', { 'x-real-ip': '203.0.113.7' }],
    ['a page whose name points here', { host: 'evil.example' }],
  ])('refuses %s', async (_, headers) => {
    const server = await startServer()
    expect(await status(`${server.url}${path}`, headers)).toBe(401)
  })

  it('refuses requests that a trusted proxy forwards', async () => {
    const server = await startServer({ trustProxy: true })
    const headers = { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' }
    expect(await status(`${server.url}${path}`, headers)).toBe(401)
  })

  it.skipIf(outside === undefined)('refuses addresses other than loopback', async () => {
    const server = await startServer({ host: '0.0.0.0' })
    const url = `http://${outside}:${server.port}${path}`
    expect(await status(url)).toBe(401)
    expect(await status(url, { host: 'localhost' })).toBe(401)
  })
})

describe.each(paths)('%s with METRICS_TOKEN', (path) => {
  it('accepts it from any address, and nothing else', async () => {
    const server = await startServer({ metricsToken })
    const url = `${server.url}${path}`
    expect(await status(url, { authorization: `Bearer ${metricsToken}` })).toBe(200)
    const forwarded = { authorization: `Bearer ${metricsToken}`, 'x-forwarded-for': '203.0.113.7' }
    expect(await status(url, forwarded)).toBe(200)
    expect(await status(url)).toBe(401)
    expect(await status(url, { authorization: `Bearer ${metricsToken}x` })).toBe(401)
    expect(await status(url, { authorization: `Basic ${metricsToken}` })).toBe(401)
  })

  it('blocks an address after too many wrong tokens', async () => {
    const server = await startServer({ metricsToken, authFailureLimit: 3 })
    const url = `${server.url}${path}`
    for (let i = 0; i < 3; i++) expect(await status(url, { authorization: `Bearer guess-${i}` })).toBe(401)
    expect(await status(url, { authorization: `Bearer ${metricsToken}` })).toBe(429)
  })
})

describe('METRICS_TOKEN', () => {
  it('must have at least 16 characters, and is not shown', async () => {
    const wrong = startServer({ metricsToken: 'short' })
    await expect(wrong).rejects.toThrow(/^METRICS_TOKEN must be 16 to 4096 visible ASCII characters/)
  })
})
