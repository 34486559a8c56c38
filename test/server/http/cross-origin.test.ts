import { describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { apiRoutes } from '../../../server/http/api-routes.ts'
import { startRows } from '../rows/harness.ts'

const page = 'https://app.example'

/** A server that allows pages of `page`, with Ana's group. */
async function kitchen() {
  const rows = await startRows(subprotocols.json, { corsOrigins: [page] })
  const ana = await rows.device('ana')
  await ana.group({ groupId: 'kitchen' })
  const authorization = `Bearer ${await rows.tokenOf('ana')}`
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${rows.server.url}${path}`, { ...init, headers: { authorization, ...init.headers } })
  return { rows, ana, ask }
}

/** A path that matches the row's pattern. */
const example = (path: string) => path.replaceAll(/\{\w+\}/g, 'x')

describe('a page of another origin', () => {
  it('may use every route', async () => {
    const { ask } = await kitchen()
    for (const { method, path } of [...apiRoutes, { method: 'POST', path: '/api/chat/files' }]) {
      const { status, headers } = await ask(example(path), {
        method: 'OPTIONS',
        headers: { origin: page, 'access-control-request-method': method },
      })
      expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 204, page])
      expect(headers.get('access-control-allow-methods')?.split(', ')).toContain(method)
      const allowed = headers.get('access-control-allow-headers')?.split(', ')
      expect(allowed).toEqual(expect.arrayContaining(['Authorization', 'Content-Type', 'Idempotency-Key']))
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  it.each([
    ['https://evil.example'],
    ['http://app.example'],
    ['https://app.example.evil.example'],
    ['https://app.example:8443'],
    ['null'],
  ])('is refused where the list does not name it: %s', async (origin) => {
    const { ana, ask } = await kitchen()
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await ask('/api/chat/groups/kitchen/messages', {
        method,
        headers: { origin, 'access-control-request-method': 'POST' },
        ...(method === 'POST' && { body: JSON.stringify({ content: 'from elsewhere' }) }),
      })
      expect(answer.status).toBe(403)
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      expect(answer.headers.get('access-control-allow-methods')).toBeNull()
    }
    expect(await ana.get('get_history', { groupId: 'kitchen' }, 'history')).toMatchObject({ messages: [] })
  })

  it('may read the reason of a refusal and Retry-After', async () => {
    const { ask } = await kitchen()
    const { status, headers } = await ask('/api/chat/groups/none/messages', { headers: { origin: page } })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([404, page])
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After')
  })

  it('may read a file that was cached for an image, whose request had no Origin', async () => {
    const { ask } = await kitchen()
    const upload = await ask('/api/chat/files?groupId=kitchen&fileName=a.txt', {
      method: 'POST',
      body: 'hello',
    })
    const { url } = (await upload.json()) as { url: string }
    const image = await ask(url)
    expect(image.headers.get('cache-control')).toContain('immutable')
    expect(image.headers.get('vary')).toBe('Origin')
    const script = await ask(url, { headers: { origin: page, range: 'bytes=1-2' } })
    expect([script.status, await script.text()]).toEqual([206, 'el'])
    expect(script.headers.get('access-control-allow-origin')).toBe(page)
    const exposed = script.headers.get('access-control-expose-headers')?.split(', ')
    expect(exposed).toEqual(expect.arrayContaining(['ETag', 'Content-Range', 'Content-Length']))
  })
})
