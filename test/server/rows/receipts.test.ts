import { describe, expect, it } from 'vitest'
import { type Device, startRows, wires } from './harness.ts'

describe.each(wires)('receipts over $wire', ({ protocol }) => {
  /** Ana, admin; Bruno and Clara, members; Eva, not a member; and their group. */
  async function kitchen() {
    const rows = await startRows(protocol)
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const clara = await rows.device('clara')
    const eva = await rows.device('eva')
    const groupId = await ana.group({ members: ['bruno', 'clara'] })
    return { rows, ana, bruno, clara, eva, groupId }
  }

  /** What a new connection of the user receives about its one group. */
  async function counts(device: Device) {
    const { groups } = await device.get('get_groups', {}, 'groups')
    return { unread: groups[0]?.unread, mentions: groups[0]?.mentions, readSeq: groups[0]?.readSeq }
  }

  const received = (device: Device, event: string) =>
    device.events.filter((one) => one.event === event).map(({ fields }) => fields)

  it('message_delivered notifies the senders, on all their devices, and nobody else', async () => {
    const { rows, ana, bruno, clara, groupId } = await kitchen()
    const laptop = await rows.device('ana')
    const messageIds = [await ana.post(groupId), await ana.post(groupId)]
    const other = await clara.post(groupId)
    await bruno.get('message_delivered', { messageIds: [...messageIds, other] }, 'ok')
    const expected = { messageIds, groupId, deliveredTo: 'bruno', timestamp: expect.any(Number) }
    expect((await ana.next('message_delivered')).fields).toEqual(expected)
    expect((await laptop.next('message_delivered')).fields).toEqual(expected)
    expect((await clara.next('message_delivered')).fields).toEqual({ ...expected, messageIds: [other] })
    expect(received(bruno, 'message_delivered')).toEqual([])
  })

  it('message_read notifies the senders and the reader’s other devices, not the one that read', async () => {
    const { rows, ana, bruno, clara, groupId } = await kitchen()
    const laptop = await rows.device('bruno')
    const messageIds = [await ana.post(groupId), await ana.post(groupId)]
    await bruno.get('message_read', { messageIds, groupId }, 'ok')
    const expected = { messageIds, groupId, readBy: 'bruno', timestamp: expect.any(Number) }
    expect((await ana.next('message_read')).fields).toEqual(expected)
    expect((await laptop.next('message_read')).fields).toEqual(expected)
    // Any event that they would receive arrives before this one.
    const last = await ana.post(groupId)
    await clara.get('message_read', { messageIds: [last], groupId }, 'ok')
    await ana.next('message_read')
    expect(received(bruno, 'message_read')).toEqual([])
    expect(received(clara, 'message_read')).toEqual([])
    expect(received(laptop, 'message_read')).toHaveLength(1)
  })

  it('message_read moves the read mark that unread and mentions are counted from, on all devices', async () => {
    const { rows, ana, bruno, groupId } = await kitchen()
    const first = await ana.post(groupId, 'um', { mentions: ['bruno'] })
    const second = await ana.post(groupId, 'dois', { mentions: ['bruno'] })
    const third = await ana.post(groupId, 'três', { mentions: ['bruno'] })
    expect(await counts(bruno)).toEqual({ unread: 3, mentions: 3, readSeq: 0 })
    await bruno.get('message_read', { messageIds: [second, first], groupId }, 'ok')
    const laptop = await rows.device('bruno')
    const expected = { unread: 1, mentions: 1, readSeq: Number(second.split(':')[1]) }
    expect(await counts(laptop)).toEqual(expected)
    expect(received(laptop, 'connected')).toMatchObject([{ groups: [expected] }])

    // An older message does not move the mark back; a deleted one is not unread.
    await bruno.get('message_read', { messageIds: [first], groupId }, 'ok')
    await ana.get('recall_message', { messageId: third }, 'ok')
    expect(await counts(laptop)).toEqual({ ...expected, unread: 0, mentions: 0 })
  })

  it('get_receipts returns the users who received and who read it', async () => {
    const { ana, bruno, clara, eva, groupId } = await kitchen()
    const messageId = await ana.post(groupId)
    const none = { messageId, delivered: [], read: [], deliveredCount: 0, readCount: 0 }
    expect(await bruno.get('get_receipts', { messageId }, 'receipts')).toEqual(none)
    await clara.get('message_delivered', { messageIds: [messageId] }, 'ok')
    await bruno.get('message_read', { messageIds: [messageId], groupId }, 'ok')
    await ana.get('message_read', { messageIds: [messageId], groupId }, 'ok')
    const receipts = await ana.get('get_receipts', { messageId }, 'receipts')
    expect(receipts).toMatchObject({ deliveredCount: 2, readCount: 1 })
    expect(receipts.delivered.map(([userId]) => userId).sort()).toEqual(['bruno', 'clara'])
    expect(receipts.read).toEqual([['bruno', expect.any(Number)]])

    // Members who join later are not expected to read it.
    await ana.get('add_member', { groupId, userId: 'eva' }, 'ok')
    await eva.get('message_read', { messageIds: [messageId], groupId }, 'ok')
    expect(await ana.get('get_receipts', { messageId }, 'receipts')).toEqual(receipts)
    // RCP-1: receipts of members who left are still counted.
    await bruno.get('leave_group', { groupId }, 'ok')
    expect(await ana.get('get_receipts', { messageId }, 'receipts')).toMatchObject({
      deliveredCount: 2,
      readCount: 1,
    })
  })

  it('all three are refused to strangers, for unknown ids and for wrong types', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    const messageId = await ana.post(groupId)
    const messageIds = [messageId]
    const unknown = `${groupId}:99`
    expect(await eva.refusal('message_delivered', { messageIds })).toBe('not_found groupId')
    expect(await eva.refusal('message_read', { messageIds, groupId })).toBe('not_found groupId')
    expect(await eva.refusal('get_receipts', { messageId })).toBe('not_found groupId')

    expect(await bruno.refusal('message_delivered', { messageIds: [messageId, unknown] })).toBe(
      'not_found messageIds',
    )
    expect(await bruno.refusal('message_read', { messageIds: [unknown], groupId })).toBe(
      'not_found messageIds',
    )
    expect(await bruno.refusal('get_receipts', { messageId: unknown })).toBe('not_found messageId')
    expect(await bruno.refusal('get_receipts', { messageId: `${groupId}:1` })).toBe('not_found messageId')
    expect(await bruno.refusal('message_delivered', { messageIds: ['nogroup:1'] })).toBe('not_found groupId')

    const others = await bruno.group()
    expect(await bruno.refusal('message_delivered', { messageIds: [messageId, `${others}:1`] })).toBe(
      'bad_request messageIds',
    )
    expect(await bruno.refusal('message_read', { messageIds, groupId: others })).toBe('bad_request groupId')

    expect(await bruno.refusal('message_delivered', { messageIds: [] })).toBe('bad_request messageIds')
    expect(await bruno.refusal('message_delivered', { messageIds: messageId })).toBe('bad_request messageIds')
    expect(await bruno.refusal('message_read', { messageIds })).toBe('bad_request groupId')
    expect(await bruno.refusal('get_receipts', { messageId: 5 })).toBe('bad_request messageId')
  })
})
