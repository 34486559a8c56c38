import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

describe.each(modes)('send_message ($mode)', ({ start }) => {
  it('reaches every member, including the sender, as the same message', async () => {
    const engine = await start()
    const [ana, bruno] = [
      await engine.connect({ userId: 'ana', name: 'Ana' }),
      await engine.connect({ userId: 'bruno' }),
    ]
    const seen = [collect(ana, 'new_message'), collect(bruno, 'new_message')]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })

    const { message } = await ana.sendMessage({
      groupId,
      content: 'olá',
      tempId: 't1',
      mentions: ['bruno', 'ninguém'],
    })

    expect(message).toMatchObject({
      groupId,
      seq: 2,
      messageId: `${groupId}:2`,
      senderName: 'Ana',
      content: 'olá',
      mentions: ['bruno'],
    })
    await eventually(() => expect(seen).toEqual([[{ message }], [{ message }]]))
  })

  // ORD-1
  it('orders messages of three members alike for all, and like history after a restart', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const sessions = await Promise.all(['ana', 'bruno', 'clara'].map((userId) => engine.connect({ userId })))
    const seen = sessions.map((session) => collect(session, 'new_message'))
    const { groupId } = await (sessions[0] as (typeof sessions)[0]).createGroup({
      kind: 'group',
      members: ['bruno', 'clara'],
    })
    // Every member is subscribed before the first message is sent.
    await Promise.all(sessions.map((session) => eventually(() => session.getHistory({ groupId }))))

    const posts = 60
    await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: posts }, (_, i) => session.sendMessage(text(groupId, `${session.userId} ${i}`))),
      ),
    )

    const orders = () => seen.map((events) => events.map(({ message }) => message.messageId))
    await eventually(() => expect(orders().map((order) => order.length)).toEqual([180, 180, 180]))
    expect(orders()[1]).toEqual(orders()[0])
    expect(orders()[2]).toEqual(orders()[0])

    await engine.close()
    const again = await start({ dataDir })
    const clara = await again.connect({ userId: 'clara' })
    const history = await clara.getHistory({ groupId, limit: 200 })
    expect(history.messages.map((message) => message.messageId)).toEqual(orders()[0])
  })

  // IDM-1
  it('creates one message per tempId, and answers a repeated send with it', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const seen = collect(ana, 'new_message')
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const [first, second] = await Promise.all([
      ana.sendMessage({ groupId, content: 'um', tempId: 'same' }),
      ana.sendMessage({ groupId, content: 'dois', tempId: 'same' }),
    ])
    expect(second.message).toEqual(first.message)
    expect((await ana.getHistory({ groupId })).messages).toEqual([first.message])
    await eventually(() => expect(seen).toEqual([{ message: first.message }]))
  })

  // IDM-1
  it('remembers the tempIds of the newest 1,024 messages after a restart, even if they are not in memory', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const sent = await Promise.all(
      Array.from({ length: 1_024 }, (_, i) => ana.sendMessage({ groupId, content: `${i}`, tempId: `t${i}` })),
    )
    // Not in memory any more, but remembered: the answer is read from the log.
    expect((await ana.sendMessage({ groupId, content: 'x', tempId: 't0' })).message).toEqual(sent[0]?.message)
    await engine.close()

    const again = await (await start({ dataDir })).connect({ userId: 'ana' })
    for (const i of [0, 500, 1_023]) {
      const { message } = await again.sendMessage({ groupId, content: 'x', tempId: `t${i}` })
      expect(message).toEqual(sent[i]?.message)
    }
  })

  it('treats the same tempId of two senders as two messages', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const one = await ana.sendMessage({ groupId, content: 'a', tempId: 't' })
    const two = await bruno.sendMessage({ groupId, content: 'b', tempId: 't' })
    expect(two.message.seq).toBe(one.message.seq + 1)
  })

  it('is refused to a non-member, for a missing group, and for an empty text', async () => {
    const engine = await start()
    const [ana, eva] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'eva' })]
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await expect(eva.sendMessage(text(groupId, 'oi'))).rejects.toMatchObject(refusal('not_found'))
    await expect(ana.sendMessage(text('nowhere', 'oi'))).rejects.toMatchObject(
      refusal('not_found', 'groupId'),
    )
    await expect(ana.sendMessage(text(groupId, ''))).rejects.toMatchObject(refusal('bad_request', 'content'))
    expect((await ana.getHistory({ groupId })).messages).toEqual([])
  })

  it('replies to a message of the same group only', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const other = await ana.createGroup({ kind: 'group' })
    const { message } = await ana.sendMessage(text(groupId, 'pergunta'))
    const reply = await ana.sendMessage({ ...text(groupId, 'resposta'), replyToId: message.messageId })
    expect(reply.message.replyToId).toBe(message.messageId)
    await expect(
      ana.sendMessage({ ...text(other.groupId, 'resposta'), replyToId: message.messageId }),
    ).rejects.toMatchObject(refusal('not_found', 'replyToId')) // INP-1
  })
})
