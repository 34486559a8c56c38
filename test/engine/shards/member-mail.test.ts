import { describe, expect, it } from 'vitest'
import type { UserMail } from '../../../engine/actors/mail.ts'
import { MemberMail } from '../../../engine/shards/member-mail.ts'

const joined: UserMail = { type: 'joined', groupId: 'g', joinedSeq: 1 }
const left: UserMail = { type: 'left', groupId: 'g' }

/** Member mail whose commits are under the test's hand; what is told, in short. */
function aMemberMail() {
  const told: string[] = []
  const waiting: { readonly task: () => void; readonly drop: () => void }[] = []
  const connected = new Set<string>()
  const memberMail = new MemberMail({
    isConnected: (userId) => connected.has(userId),
    tell: (mail) => told.push(`${mail.id} ${mail.mail.type}${'ifLoaded' in mail ? ' if loaded' : ''}`),
    afterCommit: (_groupId, task, drop) => waiting.push({ task, drop }),
  })
  const commit = () => {
    for (const { task } of waiting.splice(0)) task()
  }
  return { memberMail, told, waiting, connected, commit }
}

describe('member mail', () => {
  it('reaches the connected at once, and of the others only loaded actors, once it is committed', () => {
    const { memberMail, told, connected, commit } = aMemberMail()
    connected.add('ana')
    memberMail.tell('g', ['ana', 'bruno', 'eva'], joined)
    expect(told).toEqual(['ana joined'])
    commit()
    expect(told.slice(1)).toEqual(['bruno joined if loaded', 'eva joined if loaded'])
  })

  it('keeps its order for a user who connects in between', () => {
    const { memberMail, told, connected, commit } = aMemberMail()
    memberMail.tell('g', ['ana'], joined)
    connected.add('ana')
    memberMail.tell('g', ['ana'], left)
    expect(told).toEqual([])
    commit()
    expect(told).toEqual(['ana joined if loaded', 'ana left if loaded'])
    memberMail.tell('g', ['ana'], joined)
    expect(told.at(-1)).toBe('ana joined')
  })

  it('is dropped where the entries of its group are refused', () => {
    const { memberMail, told, waiting, connected } = aMemberMail()
    memberMail.tell('g', ['ana'], joined)
    for (const { drop } of waiting.splice(0)) drop()
    connected.add('ana')
    memberMail.tell('h', ['ana'], joined)
    expect(told).toEqual(['ana joined'])
  })
})
