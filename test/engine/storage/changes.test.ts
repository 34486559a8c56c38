import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'
import { decodeEvent, encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import type { Message } from '../../../protocol/records.ts'
import { aPost } from '../../support/groups.ts'
import { aFile, aFileEntry, aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

const change = (message: Message): LogEntry => ({ type: 'change', message })
const editOf = (target: number, seq: number, content: string): LogEntry => ({
  type: 'event',
  groupId: 'g',
  seq,
  code: events.message_edited.code,
  at: 0,
  target,
  frame: encodeEvent('message_edited', 0, {
    messageId: `g:${target}`,
    groupId: 'g',
    seq,
    content,
    editedAt: 0,
  }),
})
const start = [aGroupEntry('g'), aMemberEntry('g', 'ana'), aPostEntry(2), aPostEntry(3)]

describe('a change of a post', () => {
  it('is returned by all later reads, with every field', () => {
    const { writer, reader } = aStore()
    const message: Message = {
      ...aPost(2),
      senderName: 'ana',
      content: 'better',
      editedAt: 7,
      mentions: ['bruno'],
      reactions: [{ emoji: '👍', userIds: ['bruno', 'ana'], count: 2 }],
      pinnedAt: 8,
    }
    writer.commit([...start, change(message)])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toEqual(message)
    expect(reader.run({ read: 'pins', groupId: 'g' })).toEqual([message])
    expect(reader.run({ read: 'group', groupId: 'g' }).pins).toEqual([[2, 0]])
    const deleted: Message = { ...aPost(2), senderName: 'ana', content: '', deletedAt: 9, deletedBy: 'ana' }
    writer.commit([change(deleted)])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toEqual(deleted)
    expect(reader.run({ read: 'pins', groupId: 'g' })).toEqual([])
  })

  it('is also applied to all its edit events; they are empty once the post is deleted', () => {
    // PRV-3
    const { writer, reader } = aStore()
    const contents = () => {
      const logged = reader.run({ read: 'events', groupId: 'g', after: 3, upTo: 9, limit: 9 })
      return logged.map((event) => {
        const edit = 'frame' in event ? decodeEvent(event.frame) : null
        return edit?.event === 'message_edited' ? edit.fields.content : null
      })
    }
    const edit = (target: number, seq: number, content: string) =>
      writer.commit([change({ ...aPost(target), content, editedAt: 8 }), editOf(target, seq, content)])
    writer.commit(start)
    edit(2, 4, 'one')
    edit(3, 5, 'two')
    expect(contents()).toEqual(['one', 'two'])
    edit(2, 6, 'three')
    expect(contents()).toEqual(['three', 'two', 'three'])
    writer.commit([change({ ...aPost(2), content: '', recalledAt: 9 })])
    expect(contents()).toEqual(['', 'two', ''])
  })

  it('of name, topic or picture of a group is also applied to all its events', () => {
    // PRV-3
    const { writer, reader } = aStore()
    const group = aGroupEntry('g', { name: 'First', topic: 'old' }).group
    const update = (seq: number, fields: object): LogEntry => {
      const all = { ...fields, groupId: 'g', seq, by: 'ana', at: 0 }
      const frame = encodeEvent('group_updated', 0, all)
      return { type: 'event', groupId: 'g', seq, code: events.group_updated.code, at: 0, frame }
    }
    const created = {
      group: { ...group, memberCount: 1, lastSeq: 1 },
      groupId: 'g',
      seq: 1,
      by: 'ana',
      at: 0,
    }
    const code = events.group_created.code
    const frame = encodeEvent('group_created', 0, created)
    writer.commit([
      { type: 'group', group },
      { type: 'event', groupId: 'g', seq: 1, code, at: 0, frame },
      { type: 'group', group: { ...group, name: 'Second' } },
      update(2, { name: 'Second' }),
      { type: 'group', group: { ...group, name: 'Third', topic: undefined } },
      update(3, { name: 'Third', topic: '' }),
      update(4, { visibility: 'open' }),
    ])
    const texts = (logged: readonly LoggedEvent[]) =>
      logged.map((event) => {
        const read = 'frame' in event ? decodeEvent(event.frame) : null
        if (read?.event === 'group_created') return [read.fields.group.name, read.fields.group.topic]
        return read?.event === 'group_updated' ? [read.fields.name, read.fields.topic] : null
      })
    const expected = [
      ['Third', undefined],
      ['Third', undefined],
      ['Third', ''],
      [undefined, undefined],
    ]
    expect(texts(reader.run({ read: 'events', groupId: 'g', after: 0, upTo: 9, limit: 9 }))).toEqual(expected)
    expect(texts(reader.run({ read: 'group', groupId: 'g' }).recent)).toEqual(expected)
  })

  it('that removes the last message with a file makes the file unavailable', () => {
    const { writer, reader } = aStore()
    const file = aFile()
    const withFile = (seq: number) => aPostEntry(seq, { file })
    const fetched = () => reader.run({ read: 'file', fileId: file.fileId })
    writer.commit([...start, aFileEntry(file, 'bruno')])
    expect(fetched()).toMatchObject({ file, uploadedBy: 'bruno' })
    writer.commit([withFile(4), withFile(5)])
    writer.commit([change({ ...aPost(4), content: '', recalledAt: 9 })])
    expect(fetched()).not.toBeNull()
    writer.commit([change({ ...aPost(5), content: '', deletedAt: 9 })])
    expect(fetched()).toBeNull()
  })
})

describe('bans, invitations and mutes', () => {
  it('are stored and ended', () => {
    const { writer, reader } = aStore()
    const groupId = 'g'
    const invite = { type: 'invite', groupId, userId: 'eva', by: 'ana', at: 3 } as const
    writer.commit([
      aGroupEntry('g', { name: 'Kitchen' }),
      aMemberEntry('g', 'ana', { mutedUntil: 5, quietUntil: 6 }),
      { type: 'ban', groupId, userId: 'leo' },
      { type: 'ban', groupId, userId: 'leo' },
      invite,
      invite,
    ])
    expect(reader.run({ read: 'group', groupId })).toMatchObject({
      banned: ['leo'],
      invited: ['eva'],
      members: [{ userId: 'ana', mutedUntil: 5, quietUntil: 6 }],
    })
    expect(reader.run({ read: 'invitations', userId: 'eva', limit: 9 }).rows).toEqual([
      { by: 'ana', at: 3, group: expect.objectContaining({ groupId, name: 'Kitchen', memberCount: 1 }) },
    ])
    writer.commit([
      aMemberEntry('g', 'ana'),
      { type: 'unban', groupId, userId: 'leo' },
      { type: 'uninvite', groupId, userId: 'eva' },
    ])
    expect(reader.run({ read: 'group', groupId })).toMatchObject({
      banned: [],
      invited: [],
      members: [{ userId: 'ana', mutedUntil: 0, quietUntil: 0 }],
    })
  })
})

describe('a group that is written again', () => {
  it('changes only the fields that may change', () => {
    const { writer, reader } = aStore()
    writer.commit([...start, aGroupEntry('g', { name: 'Other', visibility: 'open', createdAt: 77 })])
    const { group, lastSeq } = reader.run({ read: 'group', groupId: 'g' })
    expect(group).toMatchObject({ name: 'Other', visibility: 'open', createdAt: 0 })
    expect(lastSeq).toBe(3)
  })
})
