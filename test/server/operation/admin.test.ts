import { describe, expect, it } from 'vitest'
import { alertRules } from '../../../server/admin/alerts.ts'
import type { LiveFigures } from '../../../server/admin/live-figures.ts'
import { resolveSettings } from '../../../server/config.ts'
import { createLog } from '../../../server/logger.ts'
import type { Server } from '../../../server/server.ts'
import { makeToken } from '../../../server/token.ts'
import { transports } from '../../support/transports.ts'
import { connect, jwtSecret, startBuilt, startServer, tokenOf } from './server.ts'

const live = '/api/admin/live'
const ofAna = '/api/admin/users/ana/connections'
const routes: readonly (readonly [string, string])[] = [
  ['GET', live],
  ['GET', '/api/admin/log'],
  ['GET', ofAna],
  ['DELETE', ofAna],
  ['DELETE', `${ofAna}/1`],
]

function adminToken(settings = {}): Promise<string> {
  const all = resolveSettings({ jwtSecret, ...settings })
  return makeToken(all, { userId: 'olga', isAdmin: true, ttlSeconds: 600 })
}

async function ask(server: Server, path: string, token?: string, method = 'GET') {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${server.url}${path}`, { method, headers })
  return { status: response.status, body: await response.json() }
}

describe.each(routes)('%s %s', (method, path) => {
  it('answers 401 without a token, and 403 to a user', async () => {
    const server = await startServer()
    expect((await ask(server, path, undefined, method)).status).toBe(401)
    expect((await ask(server, path, 'wrong', method)).status).toBe(401)
    const refused = await ask(server, path, await tokenOf('ana'), method)
    expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden'])
  })
})

describe('the claim of operators', () => {
  it('has the name of JWT_ADMIN_CLAIM', async () => {
    const jwtAdminClaim = 'https://example/operator'
    const server = await startServer({ jwtAdminClaim })
    expect((await ask(server, live, await adminToken())).status).toBe(403)
    expect((await ask(server, live, await adminToken({ jwtAdminClaim }))).status).toBe(200)
  })

  it('is required also from who has METRICS_TOKEN', async () => {
    const server = await startServer({ nodeEnv: 'production', metricsToken: 'a-token-for-the-operators' })
    expect((await ask(server, live, 'a-token-for-the-operators')).status).toBe(401)
    expect((await ask(server, live, await adminToken())).status).toBe(200)
  })

  it('is charged to the reads of the operator', async () => {
    const server = await startServer({ rateLimit: 1 })
    const token = await adminToken()
    const asked = await Promise.all(Array.from({ length: 6 }, () => ask(server, live, token)))
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429])
  })
})

describe.each(transports)('the figures over $name', ({ name: transport }) => {
  it('show connections, threads, the WAL, and the groups that are busy', async () => {
    const server = await startBuilt({ shards: 2, transport })
    const ana = await connect(server, 'ana', { protocols: ['tertulia.v1.json'] })
    const token = await adminToken()
    const groupId = 'kitchen'
    ana.send('create_group', 1, { kind: 'group', name: 'Kitchen', groupId, members: [] })
    await ana.next('group')
    // Counting by group begins with a request, and ends some seconds after the last one.
    await expect
      .poll(async () => {
        await ask(server, live, token)
        ana.send('send_message', 2, { groupId, content: 'olá', tempId: crypto.randomUUID() })
        await ana.next('message_sent')
        return ((await ask(server, live, token)).body as LiveFigures).busiest.groups
      })
      .toEqual([{ groupId, messages: expect.any(Number) }])
    const { body } = (await ask(server, live, token)) as { body: LiveFigures }
    expect(body.stats.connections.byProtocol['tertulia.v1.json']).toBe(1)
    expect(body.threads.map(({ name }) => name)).toEqual([
      ...[
        'main',
        'storage-writer',
        'storage-reader',
        'storage-copier',
        'search',
        'files',
        'shard-0',
        'shard-1',
      ],
    ])
    for (const { activeMs, delayMs } of body.threads) {
      expect(activeMs).toBeGreaterThan(0)
      expect(delayMs).toBeGreaterThanOrEqual(0)
    }
    expect(body.walBytes).toBeGreaterThan(0)
    expect(body.logNext).toBe(null)
    expect(Object.keys(alertRules)).toEqual(expect.arrayContaining(body.alerts.map(({ name }) => name)))
  })
})

describe('the connections of a user', () => {
  it('are listed, and closed with 4403', async () => {
    const server = await startServer()
    const token = await adminToken()
    const [phone, desk] = [await connect(server, 'ana'), await connect(server, 'ana')]
    const { body } = await ask(server, ofAna, token)
    expect(body.connections).toHaveLength(2)
    const [first] = body.connections
    expect(first).toMatchObject({
      protocol: 'tertulia.v1.msgpack',
      address: '127.0.0.1',
      unanswered: 0,
      unsentBytes: 0,
    })
    expect(Math.abs(Date.now() - first.openedAt)).toBeLessThan(60_000)
    expect(Math.abs(Date.now() - first.lastReceivedAt)).toBeLessThan(60_000)

    expect(await ask(server, `${ofAna}/${first.id}`, token, 'DELETE')).toEqual({
      status: 200,
      body: { ended: 1 },
    })
    expect(await phone.closed()).toEqual({ code: 4403, reason: 'an operator ended the connection' })
    expect((await ask(server, `${ofAna}/${first.id}`, token, 'DELETE')).status).toBe(404)
    expect((await ask(server, `${ofAna}/x`, token, 'DELETE')).status).toBe(404)
    expect((await ask(server, `/api/admin/users/bia/connections/1`, token, 'DELETE')).status).toBe(404)

    expect((await ask(server, ofAna, token, 'DELETE')).body).toEqual({ ended: 1 })
    expect((await desk.closed()).code).toBe(4403)
    expect((await ask(server, ofAna, token)).body).toEqual({ connections: [] })
    expect((await ask(server, ofAna, token, 'DELETE')).body).toEqual({ ended: 0 })
  })

  it('refuses an id that no user can have', async () => {
    const server = await startServer()
    const { status, body } = await ask(
      server,
      `/api/admin/users/${'x'.repeat(129)}/connections`,
      await adminToken(),
    )
    expect([status, body.error.field]).toEqual([400, 'userId'])
  })
})

describe('the log', () => {
  it('has the lines since a number, without tokens', async () => {
    const logger = createLog('info', { write() {} })
    const server = await startServer({ logger })
    const token = await adminToken()
    const before = (await ask(server, '/api/admin/log', token)).body
    expect(before.lines.map((line: string) => JSON.parse(line).msg)).toContain('listening')
    logger.warn({ err: new Error(`a token: ${token}`) }, 'a warning')
    logger.debug?.({}, 'not written')
    expect((await ask(server, live, token)).body.logNext).toBe(before.next + 1)
    const after = (await ask(server, `/api/admin/log?from=${before.next}`, token)).body
    expect(after.lines.map((line: string) => JSON.parse(line).msg)).toEqual(['a warning'])
    expect(after.lines[0]).not.toContain(token)
    expect((await ask(server, '/api/admin/log?from=x', token)).status).toBe(400)
  })
})
