import { describe, expect, it } from 'vitest'
import { groupHandlers } from '../../../engine/actors/group/group-handlers.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import { aGroup, aMember, aPost, brief, by, given, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'
import { aFile } from '../../support/store.ts'

const { edit_message, delete_message, recall_message, pin_message, unpin_message } = groupHandlers
const messageId = 'g:2'
const changed = ['change', expect.stringMatching('record'), 'answer_committed ok']

/** A group of Ana (admin), Max (moderator) and Bruno, with one post in memory: number 2, by Bruno. */
function aChat(post: Partial<Message> = {}): GroupState {
  const group = aGroup({ ana: 'admin', max: 'moderator', bruno: 'member' })
  group.recent.push({ seq: 2, message: { ...aPost(2), senderId: 'bruno', createdAt: 0, ...post } }, 0, 0)
  group.lastSeq = 2
  group.publishedSeq = 2
  return group
}

/** The same group, with the post in the log only. */
function aColdChat(): GroupState {
  const group = aChat()
  for (let seq = 3; seq < 600; seq++) group.recent.push({ seq, message: aPost(seq) }, 0, 0)
  group.lastSeq = 599
  return group
}

describe('edit_message', () => {
  const edit = { messageId, content: 'better' }

  it('changes the post and writes an event with its own number', () => {
    const group = aChat()
    const effects = edit_message(group, by('bruno'), edit, 70)
    expect(brief(effects)).toEqual(['change', 'record message_edited 3', 'answer_committed ok'])
    expect(only(effects, 'change')).toMatchObject({
      seq: 3,
      before: { content: 'post 2' },
      message: { seq: 2, content: 'better', editedAt: 70, createdAt: 0 },
    })
    expect(only(effects, 'record').event.fields).toEqual({
      messageId,
      groupId: 'g',
      seq: 3,
      content: 'better',
      editedAt: 70,
      mentions: [],
      type: undefined,
    })
  })

  it('does nothing if the text is unchanged', () => {
    const group = aChat()
    expect(brief(edit_message(group, by('bruno'), { messageId, content: 'post 2' }, 0))).toEqual([
      'answer_committed ok',
    ])
    expect(group.lastSeq).toBe(2)
  })

  it('may leave an empty text if the message shows a file', () => {
    const group = aChat({ file: aFile() })
    expect(brief(edit_message(group, by('bruno'), { messageId, content: '' }, 0))).toEqual(changed)
  })

  it('is refused after the edit window, and not before', () => {
    const group = {
      ...aChat(),
      rules: { editWindowMs: 1_000, maxGroupsPerUser: 0, contactPolicy: 'open' as const },
    }
    expect(() => edit_message(group, by('bruno'), edit, 1_001)).toThrow(
      expect.objectContaining(refusal('edit_expired')),
    )
    expect(brief(edit_message(group, by('bruno'), edit, 1_000))).toEqual(changed)
  })

  it('of an old message reads the log, and checks the caller again after the read', () => {
    const group = aColdChat()
    const effects = edit_message(group, by('bruno'), edit, 0)
    const stored = { ...aPost(2), senderId: 'bruno' }
    expect(only(effects, 'read').query).toEqual({ read: 'message', groupId: 'g', seq: 2 })
    expect(() => given(effects, null)).toThrow(expect.objectContaining(refusal('not_found', 'messageId')))
    group.members.delete('bruno')
    expect(() => given(effects, stored)).toThrow(expect.objectContaining(refusal('not_found')))
    group.members.set('bruno', aMember('bruno'))
    expect(brief(given(effects, stored, 9))).toEqual(changed)
    // Changes made during the read apply, not the state that was read.
    group.changed.set({ ...stored, deletedAt: 5 }, stored, 600, 0, 600)
    expect(() => given(effects, stored)).toThrow(expect.objectContaining(refusal('not_found', 'messageId')))
  })
})

describe('delete_message', () => {
  it('leaves an empty tombstone that is not pinned', () => {
    const group = aChat({ file: aFile(), mentions: ['ana'], pinnedAt: 1, editedAt: 1, replyToId: 'g:1' })
    group.pins.set(2, 3)
    const effects = delete_message(group, by('bruno'), { messageId }, 70)
    expect(brief(effects)).toEqual(['change', 'record message_deleted 3', 'answer_committed ok'])
    const { message } = only(effects, 'change')
    expect(message).toMatchObject({ content: '', deletedAt: 70, deletedBy: 'bruno', senderId: 'bruno' })
    expect([message.file, message.mentions, message.pinnedAt, message.editedAt]).toEqual(
      new Array(4).fill(undefined),
    )
    expect(group.pins.size).toBe(0)
  })

  it.each(['ana', 'max', 'bruno'])('is allowed to the sender and higher roles: %s', (userId) => {
    expect(brief(delete_message(aChat(), by(userId), { messageId }, 0))).toEqual(changed)
  })

  it('of a message whose sender has left is allowed to moderators', () => {
    const group = aChat()
    group.members.delete('bruno')
    expect(brief(delete_message(group, by('max'), { messageId }, 0))).toEqual(changed)
  })

  it.each([
    ['a member, of another', 'bruno', 'max', 'role_needed'],
    ['a moderator, of an admin', 'max', 'ana', 'higher_role'],
    ['a stranger', 'eva', 'ana', 'not_found'],
  ])('is refused to %s', (_, userId, senderId, code) => {
    const group = aChat({ senderId })
    const before = snapshot(group)
    expect(() => delete_message(group, by(userId), { messageId }, 0)).toThrow(
      expect.objectContaining(refusal(code)),
    )
    expect(snapshot(group)).toEqual(before)
  })

  it('has no further effect the second time', () => {
    const group = aChat({ deletedAt: 5 })
    expect(brief(delete_message(group, by('bruno'), { messageId }, 9))).toEqual(['answer_committed ok'])
  })
})

describe('recall_message', () => {
  it('removes the message within five minutes', () => {
    const effects = recall_message(aChat(), by('bruno'), { messageId }, limits.recallWindowMs)
    expect(brief(effects)).toEqual(['change', 'record message_recalled 3', 'answer_committed ok'])
    expect(only(effects, 'change').message).toMatchObject({ content: '', recalledAt: limits.recallWindowMs })
  })

  it('is refused five minutes after the message, and changes nothing', () => {
    const group = aChat()
    const before = snapshot(group)
    expect(() => recall_message(group, by('bruno'), { messageId }, limits.recallWindowMs + 1)).toThrow(
      expect.objectContaining(refusal('recall_expired')),
    )
    expect(snapshot(group)).toEqual(before)
  })

  it('is allowed to the sender only, not to an admin', () => {
    expect(() => recall_message(aChat(), by('ana'), { messageId }, 0)).toThrow(
      expect.objectContaining(refusal('not_yours')),
    )
  })

  it('of a deleted message is not_found, and a second recall has no further effect', () => {
    expect(() => recall_message(aChat({ deletedAt: 1 }), by('bruno'), { messageId }, 0)).toThrow(
      expect.objectContaining(refusal('not_found', 'messageId')),
    )
    expect(brief(recall_message(aChat({ recalledAt: 1 }), by('bruno'), { messageId }, 0))).toEqual([
      'answer_committed ok',
    ])
  })
})

describe('pin_message', () => {
  it('is allowed to moderators, idempotent, and limited in number', () => {
    const group = aChat()
    expect(() => pin_message(group, by('bruno'), { messageId }, 0)).toThrow(
      expect.objectContaining(refusal('role_needed')),
    )
    expect(brief(pin_message(group, by('max'), { messageId }, 7))).toEqual(changed)
    expect([...group.pins.keys()]).toEqual([2])
    expect(brief(pin_message(aChat({ pinnedAt: 1 }), by('max'), { messageId }, 7))).toEqual([
      'answer_committed ok',
    ])
    const full = aChat()
    for (let i = 0; i < limits.pinnedMessages; i++) full.pins.set(1_000 + i, 2_000 + i)
    expect(() => pin_message(full, by('max'), { messageId }, 0)).toThrow(
      expect.objectContaining(refusal('limit_reached')),
    )
  })

  it('is undone by unpin_message', () => {
    const group = aChat({ pinnedAt: 1 })
    group.pins.set(2, 3)
    const effects = unpin_message(group, by('max'), { messageId }, 7)
    expect(only(effects, 'change').message.pinnedAt).toBeUndefined()
    expect(group.pins.size).toBe(0)
    expect(brief(unpin_message(aChat(), by('max'), { messageId }, 7))).toEqual(['answer_committed ok'])
  })
})
