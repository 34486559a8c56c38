import { describe, expect, it } from 'vitest'
import type { UserMail } from '../../../engine/actors/mail.ts'
import { MemberMail } from '../../../engine/shards/member-mail.ts'

const joined: UserMail = { type: 'joined', groupId: 'g', joinedSeq: 1 }
const left: UserMail = { type: 'left', groupId: 'g', seq: 9 }

/** Member mail whose commits the test controls. Mail is recorded as short texts. */
function aMemberMail() {
  const sent: string[] = []
  const waiting: { readonly task: () => void; readonly drop: () => void }[] = []
  const present = new Set<string>()
  const memberMail = new MemberMail({
    isPresent: (userId) => present.has(userId),
    tell: (mail) => sent.push(`${mail.id} ${mail.mail.type}${'ifLoaded' in mail ? ' if loaded' : ''}`),
    afterCommit: (_groupId, task, drop) => waiting.push({ task, drop }),
  })
  const commit = () => {
    for (const { task } of waiting.splice(0)) task()
  }
  return { memberMail, sent, waiting, present, commit }
}

describe('member mail', () => {
  it('reaches present users at once, and of the others only loaded actors, once it is committed', () => {
    const { memberMail, sent, present, commit } = aMemberMail()
    present.add('ana')
    memberMail.tell('g', ['ana', 'bruno', 'eva'], joined)
    expect(sent).toEqual(['ana joined'])
    commit()
    expect(sent.slice(1)).toEqual(['bruno joined if loaded', 'eva joined if loaded'])
  })

  it('stays in order for a user who connects in between', () => {
    const { memberMail, sent, present, commit } = aMemberMail()
    memberMail.tell('g', ['ana'], joined)
    present.add('ana')
    memberMail.tell('g', ['ana'], left)
    expect(sent).toEqual([])
    commit()
    expect(sent).toEqual(['ana joined if loaded', 'ana left if loaded'])
    memberMail.tell('g', ['ana'], joined)
    expect(sent.at(-1)).toBe('ana joined')
  })

  it('is dropped if the entries of its group are refused', () => {
    const { memberMail, sent, waiting, present } = aMemberMail()
    memberMail.tell('g', ['ana'], joined)
    for (const { drop } of waiting.splice(0)) drop()
    present.add('ana')
    memberMail.tell('h', ['ana'], joined)
    expect(sent).toEqual(['ana joined'])
  })
})
