import { describe, expect, it } from 'vitest'
import { addFile, fileFor, getFile } from '../../../engine/actors/group/group-files.ts'
import { sendMessage } from '../../../engine/actors/group/messages.ts'
import type { GroupMail } from '../../../engine/actors/mail.ts'
import { uploadBegin, uploadChunk, uploadEnd, uploadFile } from '../../../engine/actors/user/uploads.ts'
import { userState } from '../../../engine/actors/user/user-state.ts'
import type { File } from '../../../protocol/records.ts'
import { aGroup, aPost, brief, by, given, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'
import { aFile } from '../../support/store.ts'

const file = aFile()
const { fileId } = file
const MINUTE_MS = 60_000

const added = (change: Partial<Extract<GroupMail, { type: 'add_file' }>> = {}) =>
  ({ type: 'add_file', by: by('ana'), file, again: false, ...change }) as const

describe('a file that is added', () => {
  it('is written, and answered when that is committed', () => {
    const group = aGroup({ ana: 'admin' })
    const effects = addFile(group, added(), 5)
    expect(brief(effects)).toEqual(['append file', 'answer_committed file_uploaded'])
    expect(only(effects, 'append').entry).toEqual({
      type: 'file',
      groupId: 'g',
      file,
      uploadedBy: 'ana',
      at: 5,
    })
    expect(fileFor(group, fileId)).toMatchObject({ file, uploadedBy: 'ana' })
  })

  it('is refused if its uploader is not a member any more, and changes nothing', () => {
    const group = aGroup({ bruno: 'admin' })
    const before = snapshot(group)
    expect(() => addFile(group, added(), 5)).toThrow(expect.objectContaining(refusal('not_found')))
    expect([snapshot(group), group.newFiles.size]).toEqual([before, 0])
  })

  it('again is answered and not written, whether it is in memory or in the log', () => {
    const group = aGroup({ ana: 'admin' })
    addFile(group, added(), 5)
    expect(brief(addFile(group, added({ again: true }), 6))).toEqual(['answer_committed file_uploaded'])
    const later = aGroup({ ana: 'admin' })
    const read = addFile(later, added({ again: true }), 6)
    expect(brief(given(read, { file, uploadedBy: 'ana', shown: true }))).toEqual([
      'answer_committed file_uploaded',
    ])
  })

  it('again is written if the group did not know it', () => {
    const group = aGroup({ ana: 'admin' })
    const effects = given(addFile(group, added({ again: true }), 6), null)
    expect(brief(effects)).toEqual(['append file', 'answer_committed file_uploaded'])
  })

  it('is remembered, and the oldest is dropped at the limit', () => {
    const group = aGroup({ ana: 'admin' })
    const at = (i: number): File => aFile({ fileId: `g:f${String(i).padStart(20, '0')}` })
    for (let i = 0; i < 100; i++) addFile(group, added({ file: at(i) }), i)
    expect(group.newFiles.size).toBeLessThanOrEqual(64)
    expect([fileFor(group, at(0).fileId), fileFor(group, at(99).fileId)?.file]).toEqual([undefined, at(99)])
    group.steadyNow = 20 * MINUTE_MS
    addFile(group, added(), 5)
    expect(group.newFiles.size).toBe(1)
  })

  // TIM-1
  it('is remembered by the steady clock, whatever the time of day', () => {
    const group = aGroup({ ana: 'admin' })
    addFile(group, added(), 5)
    addFile(group, added({ file: aFile({ fileId: `g:f${'1'.padStart(20, '0')}` }) }), 60 * MINUTE_MS)
    expect(brief(getFile(group, by('ana'), { fileId }))).toEqual(['answer file'])
  })
})

describe('get_file', () => {
  const ask = (userId: string, group = aGroup({ ana: 'admin', bruno: 'member' })) =>
    getFile(group, by(userId), { fileId })
  const notFound = expect.objectContaining(refusal('not_found', 'fileId'))

  it('is allowed to members', () => {
    expect(() => ask('eve')).toThrow(expect.objectContaining(refusal('not_found')))
  })

  it('is allowed to the uploader only while no message shows the file', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    addFile(group, added(), 5)
    expect(brief(ask('ana', group))).toEqual(['answer file'])
    expect(() => ask('bruno', group)).toThrow(notFound)
    const stored = { file, uploadedBy: 'ana', shown: false }
    expect(brief(given(ask('ana'), stored))).toEqual(['answer file'])
    expect(() => given(ask('bruno'), stored)).toThrow(notFound)
  })

  it('is allowed to all members as soon as a message shows the file', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    addFile(group, added(), 5)
    const post = sendMessage(
      group,
      by('ana'),
      { groupId: 'g', content: '', type: 'image', tempId: 't', fileId },
      6,
    )
    expect(brief(post)).toEqual(['record new_message 2', 'answer_committed message_sent'])
    // As in the performer, before anything is committed.
    group.recent.push({ seq: 2, message: { ...aPost(2), file } }, 1, 0)
    expect(brief(ask('bruno', group))).toEqual(['answer file'])
    expect(brief(given(ask('bruno'), { file, uploadedBy: 'ana', shown: true }))).toEqual(['answer file'])
  })

  it('is not_found after its message was recalled, before that is committed', () => {
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    group.lastSeq = 2
    group.recent.push({ seq: 2, message: { ...aPost(2), file } }, 1, 0)
    group.changed.set({ ...aPost(2, ''), recalledAt: 9 }, { ...aPost(2), file }, 3, 2, 3)
    expect(() => given(ask('ana', group), null)).toThrow(notFound)
  })

  it('is not_found if the log has none, and refused to a user who left during the read', () => {
    expect(() => given(ask('ana'), null)).toThrow(notFound)
    const group = aGroup({ ana: 'admin', bruno: 'member' })
    const read = ask('bruno', group)
    group.members.delete('bruno')
    expect(() => given(read, { file, uploadedBy: 'ana', shown: true })).toThrow(
      expect.objectContaining(refusal('not_found')),
    )
  })
})

describe('an upload', () => {
  const user = () => {
    const state = userState('ana', null)
    state.groups.set('g', 1)
    return state
  }
  const announced = { fileName: 'a', fileSize: 3, groupId: 'g' }
  const bytes = Buffer.from('abc')

  it('passes its bytes on, and answers with the progress', () => {
    const begin = only(
      given(
        uploadBegin(user(), by('ana'), announced, 5, () => 'new'),
        70,
      ),
      'file',
    )
    expect(begin.call).toMatchObject({ call: 'begin', userId: 'ana', storedBytes: 70, newId: 'new', now: 5 })
    const chunk = only(uploadChunk(user(), by('ana'), { uploadId: 'u', offset: 1, chunk: bytes }), 'file')
    expect(chunk.call).toEqual({ call: 'append', userId: 'ana', uploadId: 'u', offset: 1, bytes })
    const effects = chunk.then({ uploadId: 'u', received: 4, size: 9 } as never, 6)
    expect(brief(effects)).toEqual(['answer upload_progress'])
  })

  it('notifies the group when its bytes are stored', () => {
    const end = only(
      uploadEnd(user(), by('ana'), { uploadId: 'u' }, 5, () => 'new'),
      'file',
    )
    expect(end.call).toEqual({ call: 'end', userId: 'ana', uploadId: 'u', newId: 'new', now: 5 })
    const [tell] = end.then({ groupId: 'g', file, again: true } as never, 6)
    expect(tell).toMatchObject({ type: 'tell_group', groupId: 'g', mail: added({ again: true }) })
    const whole = only(
      given(
        uploadFile(user(), by('ana'), { ...announced, file: bytes }, 5, () => 'new'),
        70,
      ),
      'file',
    )
    expect(whole.call).toMatchObject({ call: 'store', storedBytes: 70 })
    expect(brief(whole.then({ groupId: 'g', file, again: false } as never, 6))).toEqual(['tell g add_file'])
  })

  it('is refused to a user who is not a member, and if its fields contradict each other', () => {
    const elsewhere = { ...announced, groupId: 'h' }
    const stranger = expect.objectContaining(refusal('not_found'))
    expect(() => uploadBegin(user(), by('ana'), elsewhere, 5, () => 'new')).toThrow(stranger)
    expect(() => uploadFile(user(), by('ana'), { ...elsewhere, file: bytes }, 5, () => 'new')).toThrow(
      stranger,
    )
    expect(() =>
      uploadFile(user(), by('ana'), { ...announced, fileSize: 4, file: bytes }, 5, () => 'new'),
    ).toThrow(expect.objectContaining(refusal('bad_request', 'fileSize')))
  })
})
