import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChatError } from '../../protocol/errors.ts'
import { tokenOf } from './front-end-harness.ts'
import { type HttpHarness, startHttp } from './http-harness.ts'

let server: HttpHarness
let authorization: string
beforeEach(async () => {
  server = await startHttp({ rateLimit: 5, corsOrigins: ['https://chat.example'] })
  authorization = `Bearer ${await tokenOf('ana')}`
})
afterEach(() => server.close())

async function call(path: string, init: RequestInit = {}) {
  const headers = { authorization, ...(init.headers as Record<string, string> | undefined) }
  const response = await fetch(server.url + path, { ...init, headers })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers })

describe('GET /api/chat/groups', () => {
  it('answers with the caller’s groups, paged', async () => {
    server.reply = () => ({ groups: [], cursor: 'next' })
    expect(await call('/api/chat/groups?limit=20&cursor=here')).toMatchObject({
      status: 200,
      body: { groups: [], cursor: 'next' },
    })
    expect(server.calls).toEqual([
      { identity: { userId: 'ana' }, name: 'get_groups', fields: { cursor: 'here', limit: 20 } },
    ])
  })
})

describe('GET /api/chat/groups/:id/messages', () => {
  it('answers with the history of the range', async () => {
    server.reply = () => ({ groupId: 'kitchen', messages: [], hasMore: false })
    const { status, body } = await call('/api/chat/groups/kitchen/messages?before=9&after=2&limit=5')
    expect({ status, body }).toEqual({
      status: 200,
      body: { groupId: 'kitchen', messages: [], hasMore: false },
    })
    expect(server.calls[0]).toMatchObject({
      name: 'get_history',
      fields: { groupId: 'kitchen', before: 9, after: 2, limit: 5 },
    })
  })

  it('refuses a value that is not a number, and names the field', async () => {
    expect(await call('/api/chat/groups/kitchen/messages?before=-1')).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', field: 'before' } },
    })
    expect(server.calls).toEqual([])
  })

  it.each([
    ['not_a_member', 403],
    ['not_found', 404],
    ['overloaded', 503],
    ['internal', 500],
  ] as const)('answers %s with %i', async (code, status) => {
    server.reply = () => {
      throw new ChatError(code, undefined, code === 'overloaded' ? { retryAfterMs: 1_200 } : {})
    }
    const answer = await call('/api/chat/groups/kitchen/messages')
    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect(answer.headers.get('retry-after')).toBe(code === 'overloaded' ? '2' : null)
  })
})

describe('POST /api/chat/groups/:id/messages', () => {
  const path = '/api/chat/groups/kitchen/messages'

  it('sends a message; the Idempotency-Key is its tempId', async () => {
    server.reply = () => ({ tempId: 'k1', message: {}, success: true })
    const body = {
      content: 'olá',
      type: 'text',
      replyToId: 'kitchen:1',
      mentions: ['bruno'],
      groupId: 'elsewhere',
    }
    expect(await post(path, body, { 'idempotency-key': 'k1' })).toMatchObject({
      status: 201,
      body: { success: true },
    })
    expect(server.calls[0]?.fields).toEqual({
      groupId: 'kitchen',
      content: 'olá',
      type: 'text',
      replyToId: 'kitchen:1',
      mentions: ['bruno'],
      tempId: 'k1',
    })
  })

  it('generates a tempId if none is given', async () => {
    await post(path, { content: 'a' })
    await post(path, { content: 'b' })
    const [first, second] = server.calls.map(({ fields }) => (fields as { tempId: string }).tempId)
    expect(first).toMatch(/^[0-9a-f-]{36}$/)
    expect(second).not.toBe(first)
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['nothing', ''],
  ])('refuses a body that is %s', async (_, body) => {
    expect(await post(path, body)).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } })
  })

  it('refuses a body over 64 KiB', async () => {
    expect(await post(path, { content: 'x'.repeat(70_000) })).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large' } },
    })
  })
})

describe('the caller', () => {
  it.each([
    ['no token', ''],
    ['another scheme', 'Basic YTpi'],
    ['a bad token', 'Bearer bad'],
  ])('is refused with %s', async (_, header) => {
    const answer = await call('/api/chat/groups', { headers: { authorization: header } })
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  it('is refused after too many failed attempts of the address', async () => {
    for (let i = 0; i < 3; i++) await call('/api/chat/groups', { headers: { authorization: 'Bearer bad' } })
    const answer = await call('/api/chat/groups')
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
    expect(answer.headers.get('retry-after')).toBe('60')
  })

  it('is limited by the user’s rate limit', async () => {
    const send = () =>
      call('/api/chat/groups/kitchen/messages', { method: 'POST', body: '{"content":"olá"}' })
    for (let i = 0; i < 5; i++) expect((await send()).status).not.toBe(429)
    expect(await send()).toMatchObject({
      status: 429,
      body: { error: { code: 'rate_limited', retryAfterMs: 12_000 } },
    })
  })
})

describe('every route', () => {
  it('answers an unknown path with 404 in the same form', async () => {
    expect(await call('/api/chat/nothing')).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    })
  })

  it('answers a wrong method with 405 and the allowed ones', async () => {
    const answer = await call('/api/chat/groups/kitchen/messages', { method: 'DELETE' })
    expect(answer).toMatchObject({ status: 405, body: { error: { code: 'bad_request' } } })
    expect(answer.headers.get('allow')).toBe('GET, POST')
  })

  it('logs an internal error and does not show it', async () => {
    server.reply = () => {
      throw new Error('SQLITE_IOERR at /var/lib')
    }
    const { status, body } = await call('/api/chat/groups')
    expect({ status, body }).toEqual({
      status: 500,
      body: { error: { code: 'internal', message: 'the server failed; the cause is in its log' } },
    })
    expect(server.logged).toEqual(['an HTTP request failed'])
  })

  it('survives a client that disconnects before the answer', async () => {
    const left = new Promise<void>((resolve) => {
      server.reply = () =>
        new Promise((answer) => socket.once('close', () => setImmediate(() => answer(resolve()))))
    })
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`GET /api/chat/groups HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`)
    await expect.poll(() => server.calls.length).toBe(1)
    socket.resetAndDestroy()
    await left
    await expect.poll(() => server.router.pending).toBe(0)
    expect((await call('/healthz')).status).toBe(200)
  })

  it('refuses requests while the server is stopping', async () => {
    server.accepting = false
    expect(await call('/api/chat/groups')).toMatchObject({
      status: 503,
      body: { error: { code: 'shutting_down' } },
    })
  })
})

describe('CORS', () => {
  it('answers the preflight of an allowed origin', async () => {
    const { status, headers } = await call('/api/chat/groups/kitchen/messages', {
      method: 'OPTIONS',
      headers: { origin: 'https://chat.example', 'access-control-request-method': 'POST' },
    })
    expect([status, headers.get('content-length')]).toEqual([204, null])
    expect(headers.get('access-control-allow-origin')).toBe('https://chat.example')
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST')
    expect(headers.get('access-control-allow-headers')).toContain('Idempotency-Key')
  })

  it('sends the origin in every answer, also in errors', async () => {
    for (const path of ['/api/chat/groups', '/nothing']) {
      const { headers } = await call(path, { headers: { origin: 'https://chat.example' } })
      expect(headers.get('access-control-allow-origin')).toBe('https://chat.example')
      expect(headers.get('vary')).toBe('Origin')
    }
  })

  it('refuses other origins with 403, before anything is done', async () => {
    const answer = await call('/api/chat/groups', { headers: { origin: 'https://evil.example' } })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(server.calls).toEqual([])
  })
})

describe('health', () => {
  it('reports alive whenever it answers', async () => {
    server.health = { ready: false, reason: 'the disk is full' }
    expect(await call('/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } })
    expect((await call('/healthz', { method: 'HEAD' })).status).toBe(200)
  })

  it('reports ready while the engine is ready', async () => {
    expect(await call('/readyz')).toMatchObject({ status: 200 })
    server.health = { ready: false, reason: 'the disk is full' }
    expect(await call('/readyz')).toMatchObject({ status: 503, body: { reason: 'the disk is full' } })
  })

  it('reports not ready while the server is stopping', async () => {
    server.accepting = false
    expect(await call('/readyz')).toMatchObject({ status: 503, body: { reason: 'the server is stopping' } })
  })
})
