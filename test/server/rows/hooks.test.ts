import { describe, expect, it } from 'vitest'
import { reject } from '../../../engine/hooks/hooks.ts'
import { startRows, wires } from './harness.ts'

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
    const heard = await bruno.first(({ event }) => event === 'new_message')
    expect(heard).toMatchObject({ fields: { message: { messageId, content: 'OLÁ' } } })
    expect(await ana.refusal('edit_message', { messageId, content: 'spam' })).toBe('rejected')
    expect(await ana.refusal('set_role', { groupId, userId: 'bruno', role: 'admin' })).toBe('forbidden')
    // What is malformed is refused as without hooks.
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
})
