/** A front while no engine can be reached: what it answers, and how it ends. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Fleet } from '../../../server/fronts/fleet.ts'
import { serveFronts } from '../../../server/fronts/serve-fronts.ts'
import { connectEngine } from '../../../server/link/linked-engine.ts'
import { startServer } from '../../../server/server.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'
import { connect, jwtSecret, tokenOf } from '../operation/server.ts'

const logger = { info() {}, warn() {}, error() {} }
const metricsToken = 'a-token-for-metrics'

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
    metricsToken,
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

  it('has no /metrics, as a server whose shards do not answer', async () => {
    const { server } = await aFrontWithoutEngine()
    const headers = { authorization: `Bearer ${metricsToken}` }
    const metrics = await fetch(`${server.url}/metrics`, { headers })
    expect([metrics.status, await metrics.json()]).toMatchObject([503, { error: { code: 'overloaded' } }])
  })

  it('is ready again as soon as there is an engine', async () => {
    const { server, ana, engine, link } = await aFrontWithoutEngine()
    const listener = await serveFronts(engine, { rateLimit: 0, ...link })
    onTestFinished(() => listener.close())
    await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200))
    expect(
      (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })).status,
    ).toBe(200)
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
