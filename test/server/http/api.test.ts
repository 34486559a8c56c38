import { describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { startRows } from '../rows/harness.ts'

/** A server with Ana's group, and a function that sends HTTP requests as a user. */
async function kitchen(options = {}) {
  const rows = await startRows(subprotocols.json, options)
  const ana = await rows.device('ana')
  const groupId = await ana.group({ groupId: 'kitchen', name: 'Kitchen', members: ['bruno'] })
  const ask = async (userId: string, method: string, path: string, body?: object, headers = {}) => {
    const response = await fetch(`${rows.server.url}/api/chat${path}`, {
      method,
      headers: { authorization: `Bearer ${await rows.tokenOf(userId)}`, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as never, headers: response.headers }
  }
  const refusal = async (...args: Parameters<typeof ask>) => {
    const { status, body } = await ask(...args)
    const { error } = body as { error: { code: string; field?: string } }
    return `${status} ${error.code}${error.field ? ` ${error.field}` : ''}`
  }
  return { rows, ana, groupId, ask, refusal }
}

describe('the HTTP API', () => {
  it('creates and lists groups', async () => {
    const { ask, refusal } = await kitchen()
    const made = await ask('ana', 'POST', '/groups', { kind: 'direct', members: ['bruno'] })
    expect([made.status, made.body]).toMatchObject([201, { group: { kind: 'direct' } }])
    expect(await refusal('ana', 'POST', '/groups', { kind: 'crowd' })).toBe('400 bad_request kind')
    expect(await refusal('ana', 'POST', '/groups', { kind: 'group', groupId: 'kitchen' })).toBe(
      '409 already_exists groupId',
    )
    const first = await ask('bruno', 'GET', '/groups?limit=1')
    const { groups, cursor } = first.body as { groups: object[]; cursor: string }
    const rest = await ask('bruno', 'GET', `/groups?cursor=${encodeURIComponent(cursor)}`)
    expect([groups.length, (rest.body as { groups: object[] }).groups.length]).toEqual([1, 1])
    expect(await refusal('ana', 'GET', '/groups?limit=many')).toBe('400 bad_request limit')
    expect(await refusal('ana', 'GET', '/groups?limit=100000')).toBe('400 bad_request limit')
  })

  it('creates one message per Idempotency-Key, and pages the history', async () => {
    const { ask, refusal } = await kitchen()
    const post = (content: string, key?: string) =>
      ask('ana', 'POST', '/groups/kitchen/messages', { content }, key ? { 'idempotency-key': key } : {})
    const once = await post('one', 'k1')
    expect(once.status).toBe(201)
    expect((await post('one', 'k1')).body).toEqual(once.body)
    await post('two')
    const page = await ask('bruno', 'GET', '/groups/kitchen/messages?after=1&limit=1')
    expect(page.body).toMatchObject({ messages: [{ content: 'one' }], hasMore: true })
    expect(await refusal('eva', 'GET', '/groups/kitchen/messages')).toBe('404 not_found groupId')
    expect(await refusal('eva', 'POST', '/groups/kitchen/messages', { content: 'x' })).toBe(
      '404 not_found groupId',
    )
    expect(await refusal('ana', 'GET', '/groups/none/messages')).toBe('404 not_found groupId')
    expect(await refusal('ana', 'POST', '/groups/kitchen/messages', { content: 5 })).toBe(
      '400 bad_request content',
    )
    const large = { content: 'x'.repeat(70_000) }
    expect(await refusal('ana', 'POST', '/groups/kitchen/messages', large)).toBe('413 too_large')
  })

  it('changes messages and adds reactions', async () => {
    const { ana, ask, refusal } = await kitchen()
    const messageId = await ana.post('kitchen', 'helo')
    const at = `/messages/${encodeURIComponent(messageId)}`
    expect(await ask('ana', 'PATCH', at, { content: 'hello' })).toMatchObject({ status: 200, body: {} })
    expect(await refusal('bruno', 'PATCH', at, { content: 'x' })).toBe('403 not_yours')
    await ask('bruno', 'POST', `${at}/reactions`, { emoji: '👍' })
    await ask('ana', 'POST', `${at}/reactions`, { emoji: '🎉' })
    await ask('ana', 'DELETE', `${at}/reactions/${encodeURIComponent('🎉')}`)
    await ask('bruno', 'POST', '/groups/kitchen/read', { messageIds: [messageId] })
    expect((await ask('ana', 'GET', `${at}/receipts`)).body).toMatchObject({ readCount: 1 })
    const { body } = await ask('bruno', 'GET', '/groups/kitchen/messages')
    expect(body).toMatchObject({
      messages: [{ content: 'hello', reactions: [{ emoji: '👍', userIds: ['bruno'] }] }],
    })
    expect(await ask('ana', 'POST', `${at}/recall`)).toMatchObject({ status: 200 })
    expect(await refusal('ana', 'PATCH', at, { content: 'x' })).toBe('404 not_found messageId')
    const other = `/messages/${encodeURIComponent(await ana.post('kitchen'))}`
    expect(await refusal('bruno', 'DELETE', other)).toBe('403 role_needed')
    expect(await ask('ana', 'DELETE', other)).toMatchObject({ status: 200 })
  })

  it('manages groups and members', async () => {
    const { ask, refusal } = await kitchen()
    await ask('ana', 'PATCH', '/groups/kitchen', { topic: 'bread' })
    expect(await ask('ana', 'POST', '/groups/kitchen/members', { userId: 'eva' })).toMatchObject({
      status: 200,
    })
    expect(await refusal('bruno', 'DELETE', '/groups/kitchen/members/eva')).toBe('403 role_needed')
    await ask('ana', 'DELETE', '/groups/kitchen/members/eva')
    const { body } = await ask('bruno', 'GET', '/groups/kitchen/members')
    expect((body as { members: { userId: string }[] }).members.map(({ userId }) => userId)).toEqual([
      'ana',
      'bruno',
    ])
    expect((await ask('bruno', 'GET', '/groups/kitchen/pins')).body).toMatchObject({ messages: [] })
    expect((await ask('bruno', 'GET', '/groups/kitchen/online')).body).toMatchObject({ total: 1 })
    expect((await ask('eva', 'GET', '/invitations')).body).toEqual({ invitations: [] })
  })

  it('finds messages and users of the caller’s groups only', async () => {
    const { ana, ask, refusal } = await kitchen()
    const messageId = await ana.post('kitchen', 'a reunião de hoje')
    await expect
      .poll(async () => (await ask('bruno', 'GET', '/search?query=reuniao')).body, { timeout: 10_000 })
      .toMatchObject({ hits: [{ message: { messageId }, snippet: expect.stringContaining('<mark>') }] })
    expect((await ask('bruno', 'GET', '/groups/kitchen/search?query=reuniao')).body).toMatchObject({
      hits: [{}],
    })
    expect((await ask('eva', 'GET', '/search?query=reuniao')).body).toMatchObject({ hits: [] })
    expect(await refusal('eva', 'GET', '/groups/kitchen/search?query=reuniao')).toBe('404 not_found groupId')
    expect(await refusal('ana', 'GET', '/search')).toBe('400 bad_request query')
    expect((await ask('ana', 'GET', '/users/search?query=bru')).body).toMatchObject({
      users: [{ userId: 'bruno' }],
    })
    expect((await ask('eva', 'GET', '/users/search?query=bru')).body).toEqual({ users: [] })
    await ask('ana', 'POST', '/groups', { kind: 'direct', members: ['bruno'] })
    expect((await ask('ana', 'GET', '/users/contacts')).body).toMatchObject({ users: [{ userId: 'bruno' }] })
  })

  it('validates a field like the socket', async () => {
    const { ana, refusal } = await kitchen()
    const cases: readonly [object, string, string, object?][] = [
      [{ groupId: 'kitchen', content: '', tempId: 't' }, 'POST', '/groups/kitchen/messages', { content: '' }],
      [
        { groupId: 'kitchen', content: 'x', tempId: 't', replyToId: 'x' },
        'POST',
        '/groups/kitchen/messages',
        { content: 'x', replyToId: 'x' },
      ],
    ]
    for (const [fields, method, path, body] of cases) {
      const overHttp = await refusal('ana', method, path, body)
      const answer = await ana.refusal('send_message', fields)
      expect(overHttp.split(' ').slice(1, 2).join()).toBe(answer.split(' ')[0])
    }
  })

  it('charges the same budgets as the socket', async () => {
    const { ask } = await kitchen({ rateLimit: 6 })
    const late = async () => {
      for (let i = 0; i < 40; i++) {
        const answer = await ask('bruno', 'GET', '/groups/kitchen/messages')
        if (answer.status !== 200) return { answer, passed: i }
      }
      throw new Error('no limit was reached')
    }
    // LIM-1: reads have five times the budget of events, and do not consume it.
    const { answer, passed } = await late()
    expect(passed).toBeGreaterThanOrEqual(30)
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
    expect((await ask('bruno', 'POST', '/groups', { kind: 'group' })).status).toBe(201)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('paths and origins', () => {
  it('answers other methods with 405 and the allowed ones, unknown paths with 404', async () => {
    const { rows } = await kitchen()
    const { url } = rows.server
    const wrong = await fetch(`${url}/api/chat/messages/kitchen:1`, { method: 'PUT' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'PATCH, DELETE'])
    expect((await fetch(`${url}/api/chat/nothing`)).status).toBe(404)
    expect((await fetch(`${url}/api/chat/groups`)).status).toBe(401)
  })

  it('allows pages of the configured origins, and no others', async () => {
    const { rows } = await kitchen({ corsOrigins: ['https://app.example'] })
    const url = `${rows.server.url}/api/chat/messages/kitchen:1`
    const origin = 'https://app.example'
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PATCH' },
    })
    expect(preflight.status).toBe(204)
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'PATCH, DELETE',
      'access-control-allow-headers': expect.stringMatching(/Authorization.*Idempotency-Key.*If-None-Match/),
      vary: 'Origin',
    })
    const mine = await fetch(`${rows.server.url}/api/chat/groups`, {
      headers: { origin, authorization: `Bearer ${await rows.tokenOf('ana')}` },
    })
    expect(mine.headers.get('access-control-expose-headers')).toMatch(/Retry-After.*Content-Range.*ETag/)
    expect(mine.headers.get('access-control-allow-origin')).toBe(origin)
    const other = await fetch(url, { headers: { origin: 'https://evil.example' } })
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })
})
