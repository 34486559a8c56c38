/** A front while no engine can be reached: what it answers, and how it ends. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Fleet } from '../../../server/fronts/fleet.ts'
import { serveFronts } from '../../../server/fronts/serve-fronts.ts'
import { connectEngine } from '../../../server/link/linked-engine.ts'
import { startServer } from '../../../server/server.ts'
import { stats } from '../../../server/stats-command.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'
import { scrape } from '../operation/prometheus-text.ts'
import { connect, jwtSecret, tokenOf } from '../operation/server.ts'

const logger = { info() {}, warn() {}, error() {} }

/** A front with one connection, whose engine has ended and does not start again. */
async function aFrontWithoutEngine() {
  const dataDir = temporaryFolder()
  const link = {
    address: `unix:${join(dataDir, 'link.sock')}`,
    key: randomBytes(32).toString('hex'),
    logger,
  }
  const engine = await startInline()
  const listener = await serveFronts(engine, { rateLimit: 0, ...link })
  const linked = await connectEngine({ ...link, waitMs: 1 })
  onTestFinished(() => linked.close())
  const options = {
    port: 0,
    host: '127.0.0.1',
    rateLimit: 0,
    jwtSecret,
    logger,
    engine: linked,
  }
  const server = await startServer(options, new Fleet(linked, { number: 0, id: 1, folder: dataDir }))
  onTestFinished(() => server.close())
  const ana = await connect(server, 'ana')
  await listener.close()
  await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(503))
  // From here on requests are refused at once: none waits.
  await eventually(async () =>
    expect(await linked.stats().catch((error: unknown) => error)).toMatchObject({ code: 'overloaded' }),
  )
  return { server, linked, ana, engine, link }
}

describe('a front without an engine', () => {
  it('is alive, and not ready', async () => {
    const { server } = await aFrontWithoutEngine()
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    const ready = await fetch(`${server.url}/readyz`)
    expect([ready.status, await ready.json()]).toMatchObject([503, { reason: 'no engine is linked' }])
  })

  // RES-2
  it('answers requests by `overloaded`, on sockets and over HTTP', async () => {
    const { server, ana } = await aFrontWithoutEngine()
    ana.send('get_groups', 7, {})
    expect(await ana.next('error')).toMatchObject({
      ref: 7,
      fields: { code: 'overloaded', retryAfterMs: 500 },
    })
    const headers = { authorization: `Bearer ${await tokenOf('ana')}` }
    expect((await fetch(`${server.url}/api/chat/groups`, { headers })).status).toBe(503)
  })

  it('has its own figures in /metrics, and none of an engine', async () => {
    const { server } = await aFrontWithoutEngine()
    const { samples } = await scrape(server)
    const valuesOf = (name: string) => samples.filter((one) => one.name === name).map(({ value }) => value)
    expect(valuesOf('tertulia_linked')).toEqual([0])
    expect(valuesOf('tertulia_ready')).toEqual([0])
    expect(valuesOf('tertulia_connections')).toEqual([1])
    expect(valuesOf('tertulia_event_loop_delay_seconds')).toHaveLength(3)
    expect(valuesOf('tertulia_search_lag_entries')).toEqual([])
    expect(valuesOf('tertulia_engine_uptime_seconds')).toEqual([])
  })

  it('has its own figures in /api/stats, and prints them', async () => {
    const { server } = await aFrontWithoutEngine()
    const response = await fetch(`${server.url}/api/stats`)
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        linked: false,
        connections: { now: 1 },
        users: { connected: 1 },
        shards: [],
        disk: null,
        engineProcess: null,
        storage: { ready: false, reason: 'no engine is linked' },
      },
    ])
    const lines: string[] = []
    await stats(server.url, { env: {}, out: (line) => lines.push(line), err() {} })
    expect(lines.join()).toMatch(/storage +NOT READY: no engine is linked/)
  })

  it('is ready again as soon as there is an engine', async () => {
    const { server, ana, engine, link } = await aFrontWithoutEngine()
    const listener = await serveFronts(engine, { rateLimit: 0, ...link })
    onTestFinished(() => listener.close())
    await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200))
    const { samples } = await scrape(server)
    expect(samples.find(({ name }) => name === 'tertulia_linked')?.value).toBe(1)
    expect(samples.some(({ name }) => name === 'tertulia_search_lag_entries')).toBe(true)
    ana.send('get_groups', 8, {})
    await ana.next('groups')
  })

  it('stops: it closes its connections, and waits for nothing', async () => {
    const { server, linked, ana } = await aFrontWithoutEngine()
    await server.close()
    await linked.close()
    expect(await ana.closed()).toMatchObject({ code: 1001 })
    await expect(linked.stats()).rejects.toMatchObject({ code: 'shutting_down' })
  })
})
