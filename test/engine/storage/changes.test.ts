import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../engine/storage/log.ts'
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
  it('is what is read from then on, with every field', () => {
    const { writer, reader } = aStore()
    const message: Message = {
      ...aPost(2),
      senderName: 'ana',
      content: 'better',
      editedAt: 7,
      mentions: ['bruno'],
      reactions: [{ emoji: '👍', userIds: ['bruno', 'ana'] }],
      pinnedAt: 8,
    }
    writer.commit([...start, change(message)])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toEqual(message)
    expect(reader.run({ read: 'pins', groupId: 'g' })).toEqual([message])
    expect(reader.run({ read: 'group', groupId: 'g' }).pins).toEqual([2])
    const gone: Message = { ...aPost(2), senderName: 'ana', content: '', deletedAt: 9, deletedBy: 'ana' }
    writer.commit([change(gone)])
    expect(reader.run({ read: 'message', groupId: 'g', seq: 2 })).toEqual(gone)
    expect(reader.run({ read: 'pins', groupId: 'g' })).toEqual([])
  })

  it('that takes the post away takes along what its edits said, and theirs only', () => {
    const { writer, reader } = aStore()
    writer.commit([...start, editOf(2, 4, 'one'), editOf(3, 5, 'two'), editOf(2, 6, 'three')])
    writer.commit([change({ ...aPost(2), content: '', recalledAt: 9 })])
    const logged = reader.run({ read: 'events', groupId: 'g', after: 3, upTo: 9, limit: 9 })
    const contents = logged.map((event) => {
      const edit = 'frame' in event ? decodeEvent(event.frame) : null
      return edit?.event === 'message_edited' ? edit.fields.content : null
    })
    expect(contents).toEqual(['', 'two', ''])
  })

  it('that takes away the last message with a file takes the file out of reach', () => {
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
  it('are kept and ended', () => {
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
  it('changes what may change of it, and nothing else', () => {
    const { writer, reader } = aStore()
    writer.commit([...start, aGroupEntry('g', { name: 'Other', visibility: 'open', createdAt: 77 })])
    const { group, lastSeq } = reader.run({ read: 'group', groupId: 'g' })
    expect(group).toMatchObject({ name: 'Other', visibility: 'open', createdAt: 0 })
    expect(lastSeq).toBe(3)
  })
})
