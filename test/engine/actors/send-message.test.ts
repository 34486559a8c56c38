import { describe, expect, it } from 'vitest'
import { sendMessage } from '../../../engine/actors/group/messages.ts'
import { REMEMBERED_TEMP_IDS } from '../../../engine/stored/stored-group.ts'
import { aGroup, aMember, aPost, brief, by, given, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'
import { aFile } from '../../support/store.ts'

const olá = { groupId: 'g', content: 'olá', tempId: 't1' }

describe('send_message', () => {
  it('gets the next number, is recorded, and is answered when that is committed', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    const effects = sendMessage(group, by('ana'), { ...olá, mentions: ['bruno', 'bruno', 'eva'] }, 500)
    expect(brief(effects)).toEqual(['record new_message 2', 'answer_committed message_sent'])
    const message = {
      messageId: 'g:2',
      groupId: 'g',
      seq: 2,
      senderId: 'ana',
      senderName: 'Ana',
      type: 'text',
      content: 'olá',
      createdAt: 500,
      tempId: 't1',
      mentions: ['bruno'],
    }
    expect(only(effects, 'record').event.fields).toEqual({ message })
    expect(only(effects, 'record').sender).toEqual({ by: by('ana'), tempId: 't1' })
    expect(group.lastSeq).toBe(2)
  })

  it('answers a known tempId with the first message, from memory or from the log', () => {
    const group = aGroup({ ana: 'admin' })
    const [first] = sendMessage(group, by('ana'), olá, 0)
    if (first?.type !== 'record' || first.event.name !== 'new_message') throw new Error('no message')
    const { message } = first.event.fields
    const before = snapshot(group)

    const fromLog = sendMessage(group, by('ana'), { ...olá, content: 'another' }, 9)
    expect(only(fromLog, 'read').query).toEqual({ read: 'message', groupId: 'g', seq: 2 })
    expect(only(given(fromLog, message), 'answer_committed').event.fields).toMatchObject({ message })

    group.recent.push({ seq: 2, message }, 1, 0)
    const fromMemory = sendMessage(group, by('ana'), olá, 9)
    expect(brief(fromMemory)).toEqual(['answer_committed message_sent'])
    expect(group.lastSeq).toBe((before as { lastSeq: number }).lastSeq)
  })

  it('answers a repeated tempId with the uncommitted edit, from memory and when the log is read', () => {
    // IDM-1
    const group = aGroup({ ana: 'admin' })
    const [first] = sendMessage(group, by('ana'), olá, 0)
    if (first?.type !== 'record' || first.event.name !== 'new_message') throw new Error('no message')
    const { message } = first.event.fields
    const edited = { ...message, content: 'tchau', editedAt: 3 }
    const asked = sendMessage(group, by('ana'), olá, 2)
    group.changed.set(edited, message, 3, 9, 2)
    expect(only(given(asked, message), 'answer_committed').event.fields).toMatchObject({ message: edited })
    group.recent.push({ seq: 2, message }, 1, 0)
    const again = sendMessage(group, by('ana'), olá, 9)
    expect(only(again, 'answer_committed').event.fields).toMatchObject({ message: edited })
  })

  it('replies to a post of any age, and to no other event of any age', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    for (let seq = 2; seq < 600; seq++) group.recent.push({ seq, message: aPost(seq) }, 0, 0)
    group.lastSeq = 599
    const reply = { ...olá, replyToId: 'g:3' }
    const before = snapshot(group)
    const asked = sendMessage(group, by('bruno'), reply, 0)
    expect(only(asked, 'read').query).toEqual({ read: 'message', groupId: 'g', seq: 3 })
    expect(() => given(asked, null)).toThrow(expect.objectContaining(refusal('not_found', 'replyToId')))
    expect(snapshot(group)).toEqual(before)
    // MEN-1: a reply mentions the sender of the original message.
    const message = { replyToId: 'g:3', mentions: ['ana'] }
    expect(only(given(asked, aPost(3)), 'record').event.fields).toMatchObject({ message })
    // In the meantime a message with the same tempId was sent.
    expect(brief(given(asked, aPost(3)))).toEqual(['read'])
    expect(group.lastSeq).toBe(600)
  })

  it('is refused to a user who was muted while the log was read', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    for (let seq = 2; seq < 600; seq++) group.recent.push({ seq, message: aPost(seq) }, 0, 0)
    group.lastSeq = 599
    const asked = sendMessage(group, by('bruno'), { ...olá, replyToId: 'g:3' }, 0)
    group.members.set('bruno', aMember('bruno', { mutedUntil: 5 }))
    expect(() => given(asked, aPost(3), 4)).toThrow(expect.objectContaining({ code: 'muted' }))
  })

  it('remembers the newest 1,024 keys, and distinguishes senders', () => {
    const group = aGroup({ ana: 'admin', 'ana:b': 'member' })
    for (let i = 0; i < REMEMBERED_TEMP_IDS; i++) {
      group.ceiling += 1
      sendMessage(group, by('ana'), { ...olá, tempId: `t${i}` }, 0)
    }
    expect(brief(sendMessage(group, by('ana'), { ...olá, tempId: 't0' }, 0))).toEqual(['read'])
    sendMessage(group, by('ana'), { ...olá, tempId: 'one more' }, 0)
    expect(brief(sendMessage(group, by('ana'), { ...olá, tempId: 't0' }, 0))).toContain(
      'record new_message 1027',
    )
    // `ana` with `:bt` differs from `ana:b` with `t`.
    sendMessage(group, by('ana'), { ...olá, tempId: ':bt' }, 0)
    expect(brief(sendMessage(group, by('ana:b'), { ...olá, tempId: 't' }, 0))[0]).toMatch('record')
  })

  it.each([
    ['somebody who is not a member', 'eva', {}, 'not_found', undefined],
    ['an empty text', 'ana', { content: '' }, 'bad_request', 'content'],
    ['a reply to another group', 'ana', { replyToId: 'h:1' }, 'not_found', 'replyToId'],
    ['a reply to what is not there yet', 'ana', { replyToId: 'g:2' }, 'not_found', 'replyToId'],
    ['a reply to what is no message', 'ana', { replyToId: 'g:1' }, 'not_found', 'replyToId'],
    ['a picture of nothing', 'ana', { content: '', type: 'image' as const }, 'bad_request', 'content'],
    ['a file of another group', 'ana', { fileId: 'h:f0123456789abcdef' }, 'not_found', 'fileId'],
  ])('refuses %s, and changes nothing', (_, userId, fields, code, field) => {
    const group = aGroup({ ana: 'admin' })
    const before = snapshot(group)
    expect(() => sendMessage(group, by(userId), { ...olá, ...fields }, 0)).toThrow(
      expect.objectContaining(refusal(code, field)),
    )
    expect(snapshot(group)).toEqual(before)
  })

  it('shows a file of the sender, with or without text', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    const file = aFile()
    const picture = { ...olá, content: '', type: 'image', fileId: file.fileId } as const
    const effects = given(sendMessage(group, by('ana'), picture, 0), { file, uploadedBy: 'ana' })
    expect(only(effects, 'record').event.fields).toMatchObject({ message: { file, content: '' } })
    for (const found of [null, { file, uploadedBy: 'bruno' }]) {
      const again = { ...picture, tempId: 't2' }
      expect(() => given(sendMessage(group, by('ana'), again, 0), found)).toThrow(
        expect.objectContaining(refusal('not_found', 'fileId')),
      )
    }
  })

  it('is refused while the sender is muted, with the time at which the mute ends', () => {
    const group = aGroup({ ana: 'admin' })
    group.members.set('ana', aMember('ana', { mutedUntil: 5_000 }))
    expect(() => sendMessage(group, by('ana'), olá, 4_000)).toThrow(
      expect.objectContaining({ code: 'muted', retryAfterMs: 1_000 }),
    )
    expect(brief(sendMessage(group, by('ana'), olá, 5_000))[0]).toMatch('record')
  })

  it('is refused as overloaded if no number is left', () => {
    const group = aGroup({ ana: 'admin' })
    group.ceiling = 1
    expect(() => sendMessage(group, by('ana'), olá, 0)).toThrow(
      expect.objectContaining(refusal('overloaded')),
    )
  })
})
