/**
 * Mentions of messages that change, tested by the counts of the members.
 */
import { expect, it } from 'vitest'
import type { Hooks } from '../../engine/hooks/hooks.ts'
import { eventually } from '../support/conditions.ts'
import { startInline, temporaryFolder } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

type Session = Awaited<ReturnType<Awaited<ReturnType<typeof startInline>>['connect']>>

async function mentionsOf(session: Session): Promise<number | undefined> {
  return (await session.getGroups({})).groups[0]?.mentions
}

// MEN-1
it('counts follow edits, deletions and replies, also after a restart', async () => {
  const dataDir = temporaryFolder()
  const engine = await startInline({ dataDir })
  const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
  const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
  const { message: plain } = await ana.sendMessage(text(groupId, 'hello'))
  await ana.editMessage({ messageId: plain.messageId, content: 'hello @bruno', mentions: ['bruno'] })
  expect(await mentionsOf(bruno)).toBe(1)
  const { message: second } = await ana.sendMessage({ ...text(groupId, 'hi @bruno'), mentions: ['bruno'] })
  expect(await mentionsOf(bruno)).toBe(2)
  await ana.editMessage({ messageId: second.messageId, content: 'hi all' })
  expect(await mentionsOf(bruno)).toBe(1)

  await bruno.sendMessage({ ...text(groupId, 'yes'), replyToId: plain.messageId })
  expect(await mentionsOf(ana)).toBe(1)
  await ana.sendMessage({ ...text(groupId, 'to myself'), replyToId: plain.messageId })
  expect(await mentionsOf(ana)).toBe(1)
  await engine.close()

  const again = await startInline({ dataDir })
  const [anaBack, brunoBack] = [
    await again.connect({ userId: 'ana' }),
    await again.connect({ userId: 'bruno' }),
  ]
  expect([await mentionsOf(anaBack), await mentionsOf(brunoBack)]).toEqual([1, 1])
  await anaBack.editMessage({ messageId: plain.messageId, content: 'hello' })
  expect(await mentionsOf(brunoBack)).toBe(0)
  await anaBack.editMessage({ messageId: second.messageId, content: 'hi all', mentions: ['bruno'] })
  expect(await mentionsOf(brunoBack)).toBe(1)
  await anaBack.deleteMessage({ messageId: second.messageId })
  expect(await mentionsOf(brunoBack)).toBe(0)
})

it('hooks set mentions and type of an edit, and are called for edits, deletions and recalls', async () => {
  const calls: string[] = []
  const hooks: Hooks = {
    beforeMessage: ({ edit, content }) =>
      edit && content.includes('@bruno') ? { mentions: ['bruno'], type: 'video' } : undefined,
    afterMessage: ({ content, type, mentions }, change) =>
      void calls.push(`${change} ${type} "${content}" ${mentions ?? '-'}`),
  }
  const engine = await startInline({ hooks })
  const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
  const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
  const { message } = await ana.sendMessage(text(groupId, 'one'))
  const { messageId } = message
  await ana.editMessage({ messageId, content: 'two @bruno' })
  expect(await mentionsOf(bruno)).toBe(1)
  await ana.react({ messageId, emoji: '👍' })
  await ana.pinMessage({ messageId })
  await ana.deleteMessage({ messageId })
  const { message: other } = await ana.sendMessage(text(groupId, 'three'))
  await ana.recallMessage({ messageId: other.messageId })
  await eventually(() =>
    expect(calls).toEqual([
      'posted text "one" -',
      'edited video "two @bruno" bruno',
      'deleted video "" -',
      'posted text "three" -',
      'recalled text "" -',
    ]),
  )
  const { messages } = await bruno.getHistory({ groupId })
  expect(messages[0]).toMatchObject({ type: 'video', deletedBy: 'ana' })
})
