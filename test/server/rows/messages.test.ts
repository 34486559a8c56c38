import { describe, expect, it } from 'vitest'
import { startRows, wires } from './harness.ts'

describe.each(wires)('messages over $wire', ({ protocol }) => {
  /** Ana, admin; Bruno, member; Eva, not a member; and their group. */
  async function kitchen(options = {}) {
    const rows = await startRows(protocol, options)
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const eva = await rows.device('eva')
    const groupId = await ana.group({ members: ['bruno'] })
    await bruno.next('group_created')
    return { rows, ana, bruno, eva, groupId }
  }

  it('edit_message changes the history, and notifies everyone', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    const messageId = await bruno.post(groupId, 'helo')
    await bruno.get('edit_message', { messageId, content: 'hello' }, 'ok')
    expect((await ana.next('message_edited')).fields).toMatchObject({ messageId, groupId, content: 'hello' })
    const { messages } = await ana.get('get_history', { groupId }, 'history')
    expect(messages).toMatchObject([{ messageId, content: 'hello', editedAt: expect.any(Number) }])

    expect(await ana.refusal('edit_message', { messageId, content: 'x' })).toBe('not_yours')
    expect(await eva.refusal('edit_message', { messageId, content: 'x' })).toBe('not_found groupId')
    const unknown = `${groupId}:99`
    expect(await bruno.refusal('edit_message', { messageId: unknown, content: 'x' })).toBe(
      'not_found messageId',
    )
    expect(await bruno.refusal('edit_message', { messageId: 'nogroup:1', content: 'x' })).toBe(
      'not_found groupId',
    )
    expect(await bruno.refusal('edit_message', { messageId, content: '' })).toBe('bad_request content')
    expect(await bruno.refusal('edit_message', { messageId, content: 5 })).toBe('bad_request content')
    expect(await bruno.refusal('edit_message', { messageId: 5, content: 'x' })).toBe('bad_request messageId')
  })

  it('edit_message is refused after the edit window', async () => {
    let now = 1_700_000_000_000
    const { bruno, groupId } = await kitchen({ editWindowMs: 60_000, now: () => now })
    const messageId = await bruno.post(groupId)
    now += 60_001
    expect(await bruno.refusal('edit_message', { messageId, content: 'x' })).toBe('edit_expired')
  })

  it('delete_message leaves an empty tombstone', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    const mine = await bruno.post(groupId, 'mine')
    const hers = await ana.post(groupId, 'hers')
    await bruno.get('delete_message', { messageId: mine }, 'ok')
    expect((await ana.next('message_deleted')).fields).toMatchObject({ messageId: mine, deletedBy: 'bruno' })
    expect(await bruno.refusal('delete_message', { messageId: hers })).toBe('role_needed')
    expect(await eva.refusal('delete_message', { messageId: hers })).toBe('not_found groupId')
    expect(await bruno.refusal('delete_message', { messageId: `${groupId}:1` })).toBe('not_found messageId')

    const later = await bruno.post(groupId, 'more')
    await ana.get('delete_message', { messageId: later }, 'ok')
    const { messages } = await bruno.get('get_history', { groupId }, 'history')
    expect(messages.map(({ content, deletedBy }) => [content, deletedBy])).toEqual([
      ['', 'bruno'],
      ['hers', undefined],
      ['', 'ana'],
    ])
    expect(await bruno.refusal('edit_message', { messageId: mine, content: 'x' })).toBe('not_found messageId')
    // Idempotent.
    await bruno.get('delete_message', { messageId: mine }, 'ok')
  })

  it('recall_message recalls a message within five minutes', async () => {
    let now = 1_700_000_000_000
    const { ana, bruno, groupId } = await kitchen({ now: () => now })
    const early = await bruno.post(groupId, 'oops')
    const late = await bruno.post(groupId, 'later')
    now += 5 * 60_000
    await bruno.get('recall_message', { messageId: early }, 'ok')
    expect((await ana.next('message_recalled')).fields).toMatchObject({
      messageId: early,
      recalledBy: 'bruno',
      recalledAt: now,
    })
    now += 1
    expect(await bruno.refusal('recall_message', { messageId: late })).toBe('recall_expired')
    expect(await ana.refusal('recall_message', { messageId: late })).toBe('not_yours')
    const { messages } = await ana.get('get_history', { groupId }, 'history')
    expect(messages.map(({ content }) => content)).toEqual(['', 'later'])
  })

  it('react and unreact are stored with the message', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    const messageId = await ana.post(groupId)
    await bruno.get('react', { messageId, emoji: '👍' }, 'ok')
    await bruno.get('react', { messageId, emoji: '👍' }, 'ok')
    await ana.get('react', { messageId, emoji: '👍' }, 'ok')
    await ana.get('react', { messageId, emoji: '❤️' }, 'ok')
    await ana.get('unreact', { messageId, emoji: '❤️' }, 'ok')
    await ana.get('unreact', { messageId, emoji: '❤️' }, 'ok')
    const changed = []
    for (let i = 0; i < 4; i++) {
      const { fields } = await ana.next('reaction_changed')
      changed.push([fields.by, fields.emoji, fields.added])
    }
    expect(changed).toEqual([
      ['bruno', '👍', true],
      ['ana', '👍', true],
      ['ana', '❤️', true],
      ['ana', '❤️', false],
    ])
    const { messages } = await ana.get('get_history', { groupId }, 'history')
    expect(messages[0]?.reactions).toEqual([{ emoji: '👍', userIds: ['bruno', 'ana'], count: 2 }])
    expect(await eva.refusal('react', { messageId, emoji: '👍' })).toBe('not_found groupId')
    expect(await eva.refusal('unreact', { messageId, emoji: '👍' })).toBe('not_found groupId')
    expect(await ana.refusal('react', { messageId, emoji: '' })).toBe('bad_request emoji')
    expect(await ana.refusal('unreact', { messageId: `${groupId}:7777`, emoji: 'x' })).toBe(
      'not_found messageId',
    )
  })

  it('pin_message pins a message until unpin_message', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    const first = await bruno.post(groupId, 'first')
    const second = await bruno.post(groupId, 'second')
    await ana.get('pin_message', { messageId: first }, 'ok')
    await ana.get('pin_message', { messageId: second }, 'ok')
    expect((await bruno.next('message_pinned')).fields).toMatchObject({ messageId: first, by: 'ana' })
    const pins = await bruno.get('get_pins', { groupId }, 'pins')
    expect(pins.messages.map(({ content }) => content)).toEqual(['second', 'first'])
    await ana.get('unpin_message', { messageId: first }, 'ok')
    expect((await bruno.next('message_unpinned')).fields).toMatchObject({ messageId: first })
    expect((await bruno.get('get_pins', { groupId }, 'pins')).messages).toHaveLength(1)
    expect(await bruno.refusal('pin_message', { messageId: first })).toBe('role_needed')
    expect(await bruno.refusal('unpin_message', { messageId: second })).toBe('role_needed')
    expect(await eva.refusal('get_pins', { groupId })).toBe('not_found groupId')
    expect(await ana.refusal('pin_message', { messageId: `${groupId}:50` })).toBe('not_found messageId')
  })

  it('send_message accepts replies and mentions of the same group only', async () => {
    const { ana, bruno, groupId } = await kitchen()
    const other = await ana.group()
    const elsewhere = await ana.post(other)
    const messageId = await ana.post(groupId, 'question')
    await bruno.post(groupId, 'answer', { replyToId: messageId, mentions: ['ana', 'eva'] })
    const { messages } = await ana.get('get_history', { groupId, limit: 1 }, 'history')
    expect(messages[0]).toMatchObject({ replyToId: messageId, mentions: ['ana'] })
    const reply = { groupId, content: 'x', tempId: 'r1', replyToId: elsewhere }
    expect(await bruno.refusal('send_message', reply)).toBe('not_found')
    expect(await bruno.refusal('send_message', { ...reply, type: 'poem' })).toBe('bad_request type')
  })

  it('resume reports changes to a client that was disconnected', async () => {
    const { rows, ana, groupId } = await kitchen()
    const messageId = await ana.post(groupId, 'frist')
    await ana.get('edit_message', { messageId, content: 'first' }, 'ok')
    await ana.get('delete_message', { messageId }, 'ok')
    const bruno = await rows.device('bruno')
    await bruno.get('resume', { groups: [[groupId, 1]] }, 'resumed')
    const missed = bruno.events.filter(({ ref, event }) => ref === 0 && event !== 'connected')
    expect(missed.map(({ event }) => event)).toEqual(['new_message', 'message_edited', 'message_deleted'])
    // Nothing of the deleted message is reported.
    expect(JSON.stringify(missed)).not.toMatch(/frist|first/)
  })
})
