import { describe, expect, it } from 'vitest'
import { reject } from '../../../engine/hooks/hooks.ts'
import { createServer } from '../../../server/server.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline } from '../../support/engines.ts'
import { startRows, wires } from './harness.ts'

const quiet = { info() {}, warn() {}, error() {} }

describe.each(wires)('hooks over $wire', ({ protocol }) => {
  it('refuse a message by its tempId, change another, and forbid a request', async () => {
    const rows = await startRows(protocol, {
      hooks: {
        authorize: ({ user, request }) => request.event !== 'set_role' || user.userId === 'root',
        async beforeMessage({ content, edit }) {
          if (content === 'spam') throw reject('no spam')
          return edit ? undefined : { content: content.toUpperCase() }
        },
      },
    })
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    const groupId = await ana.group({ members: ['bruno'] })
    const refused = await ana.ask('send_message', { groupId, content: 'spam', tempId: 't1' })
    expect(refused).toMatchObject({
      event: 'message_error',
      fields: { tempId: 't1', error: { code: 'rejected', message: 'no spam' } },
    })
    const messageId = await ana.post(groupId, 'olá')
    const received = await bruno.first(({ event }) => event === 'new_message')
    expect(received).toMatchObject({ fields: { message: { messageId, content: 'OLÁ' } } })
    expect(await ana.refusal('edit_message', { messageId, content: 'spam' })).toBe('rejected')
    expect(await ana.refusal('set_role', { groupId, userId: 'bruno', role: 'admin' })).toBe('forbidden')
    // Malformed requests are refused as without hooks.
    expect(await ana.refusal('send_message', { groupId, content: 5, tempId: 't2' })).toBe(
      'bad_request content',
    )
    // The same over HTTP.
    const response = await fetch(`${rows.server.url}/api/chat/groups/${groupId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await rows.tokenOf('ana')}` },
      body: JSON.stringify({ content: 'spam' }),
    })
    expect([response.status, await response.json()]).toMatchObject([422, { error: { code: 'rejected' } }])
  })

  it('preserve the order of a socket’s messages, however long each takes, and do not block other sockets', async () => {
    let resolve: () => void = () => {}
    const held = new Promise<void>((done) => {
      resolve = done
    })
    const rows = await startRows(protocol, {
      hooks: {
        async beforeMessage({ user, content }) {
          if (user.userId === 'ana' && content === '0') await held
        },
      },
    })
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    const groupId = await ana.group({ members: ['bruno'] })
    for (let i = 0; i < 5; i++)
      ana.send('send_message', 100 + i, { groupId, content: `${i}`, tempId: `${i}` })
    await bruno.post(groupId, 'meanwhile')
    resolve()
    const received: string[] = []
    while (received.length < 6) {
      const { fields } = await bruno.next('new_message')
      received.push(fields.message.content)
    }
    expect(received).toEqual(['meanwhile', '0', '1', '2', '3', '4'])
  })

  it('that throw or time out affect only their own message, and the cause is logged', async () => {
    const logged: string[] = []
    const log = (fields: object) => void logged.push(JSON.stringify(fields))
    const rows = await startRows(protocol, {
      hookTimeoutMs: 20,
      logger: { info() {}, warn() {}, error: log },
      hooks: {
        beforeMessage({ content }) {
          if (content === 'throw') throw new Error('of the service itself')
          return content === 'late' ? new Promise(() => {}) : undefined
        },
      },
    })
    const ana = await rows.device('ana')
    const groupId = await ana.group()
    for (const content of ['throw', 'late']) {
      const refused = await ana.ask('send_message', { groupId, content, tempId: content })
      expect(refused).toMatchObject({
        event: 'message_error',
        fields: { tempId: content, error: { code: 'internal' } },
      })
      expect(JSON.stringify(refused)).not.toContain('service itself')
    }
    await ana.post(groupId, 'fine')
    const { messages } = await ana.get('get_history', { groupId }, 'history')
    expect(messages.map(({ content }) => content)).toEqual(['fine'])
    expect(logged.join()).toMatch(/of the service itself.*beforeMessage took more than 20 ms/s)
  })

  it('receive the users without a socket when a message arrives', async () => {
    const away: string[] = []
    const rows = await startRows(protocol, {
      hooks: { userOffline: ({ userId, message }) => void away.push(`${userId}: ${message.content}`) },
    })
    const [ana, bruno] = [await rows.device('ana'), await rows.device('bruno')]
    const groupId = await ana.group({ members: ['bruno', 'eva'] })
    await ana.post(groupId, 'one')
    await eventually(() => expect(away).toEqual(['eva: one']))
    bruno.ws.terminate()
    await eventually(async () => {
      await ana.post(groupId, 'two')
      expect(away).toContain('bruno: two')
    })
  })
})

describe('hooks of a server', () => {
  it('are refused together with an engine, which has its own', async () => {
    const engine = await startInline()
    const server = createServer({ engine, port: 0, hooks: { afterMessage: () => {} }, logger: quiet })
    await expect(server).rejects.toThrow('hooks cannot be combined with engine')
  })
})
