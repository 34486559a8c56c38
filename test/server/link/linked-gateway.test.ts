import { describe, expect, it } from 'vitest'
import { addressOf, seqBytes, withSeq } from '../../../engine/base/seq-bytes.ts'
import type { SessionPort } from '../../../engine/hub/gateway.ts'
import { decodeEvent, encodeEvent, encodeRequest } from '../../../protocol/codec.ts'
import { type FrameView, viewFrame } from '../../../protocol/frame-view.ts'
import {
  type NamedSession,
  type NamedTopic,
  ToEngine,
  ToFront,
  u32,
} from '../../../server/link/link-records.ts'
import { LinkedGateway } from '../../../server/link/linked-gateway.ts'
import { packed, unpacked } from '../../../server/link/packed.ts'

const TEAM = 'g:team'
const NONE = new Uint8Array(0)

/** A front between two breaks of its link, seen by the records that it sends. */
function aFront() {
  let now = 0
  let sent: { kind: number; number: number; body: Uint8Array }[] = []
  const gateway = new LinkedGateway({ steadyNow: () => now })
  const received: string[] = []
  gateway.addPublisher({ publish: (topic, frame) => void received.push(`${topic} ${brief(frame)}`) })
  const push = (kind: number, number: number, _id?: Uint8Array, body: Uint8Array = NONE) => {
    sent.push({ kind, number, body: Uint8Array.from(body) })
  }
  const link = {
    unsentBytes: 0,
    push,
    pushBody(kind: number, number: number, body: Uint8Array) {
      push(kind, number, undefined, body)
      return body
    },
  }
  const bodies = (kind: number) => sent.filter((one) => one.kind === kind).map(({ body }) => unpacked(body))
  gateway.linked(link)
  return {
    gateway,
    received,
    /** Request frames over this link. */
    frames: () => sent.filter(({ kind }) => kind === ToEngine.frame).length,
    advance: (ms: number) => {
      now += ms
    },
    /** Opens a session, which is subscribed to the topic with that number. */
    open(userId: string, topic?: number, seq = 5): number {
      const session = gateway.open({ userId }, portOf(userId, received))
      gateway.take(ToFront.attaching, session, NONE, baselines)
      gateway.take(ToFront.send, session, NONE, connected(userId))
      if (topic !== undefined) this.subscribe(session, topic, seq)
      return session
    },
    subscribe(session: number, topic: number, seq: number, name = TEAM) {
      const body = Buffer.concat([u32(topic), seqBytes([seq])])
      gateway.take(ToFront.subscribe, session, Buffer.from(name), body)
    },
    show: (topic: number, seq: number, frame: Uint8Array) =>
      gateway.take(ToFront.show, topic, seqBytes([seq]), frame),
    async missed(session: number, seq: number, frame: Uint8Array) {
      gateway.take(ToFront.missed, session, withSeq(addressOf(TEAM), seq), frame)
      await Promise.resolve()
    },
    /** The link breaks, and there is another one. Returns what the front names. */
    interrupt() {
      gateway.broken()
      sent = []
      gateway.linked(link)
      return {
        topics: bodies(ToEngine.topics).flat() as NamedTopic[],
        sessions: bodies(ToEngine.reopen) as NamedSession[],
      }
    },
  }
}

const baselines = Uint8Array.from(packed('where the groups begin'))

function portOf(userId: string, received: string[]): SessionPort {
  return {
    send: (frame) => void received.push(`${userId} ${brief(frame)}`),
    subscribe: (topic) => void received.push(`${userId} + ${topic}`),
    unsubscribe: (topic) => void received.push(`${userId} - ${topic}`),
    close() {},
    whenDrained() {},
  }
}

function brief(frame: Uint8Array): string {
  const event = decodeEvent(frame)
  return event && 'seq' in event.fields ? `${event.event} ${event.fields.seq}` : `${event?.event}`
}

function connected(userId: string): Uint8Array {
  const fields = {
    message: 'connected',
    userId,
    timestamp: 0,
    sessionId: 's',
    serverVersion: '1',
    groups: [],
  }
  const limits = { maxMessageBytes: 1, maxContentBytes: 1, rateLimit: 1, resumeEvents: 1 }
  return encodeEvent('connected', 0, { ...fields, limits, hasMore: undefined })
}

const leaves = (userId: string, seq: number) =>
  encodeEvent('user_left_group', 0, { userId, userName: userId, groupId: 'team', seq })
const unpin = (seq: number) =>
  encodeEvent('message_unpinned', 0, { messageId: 'team:1', groupId: 'team', seq, by: 'ana', at: 0 })

// RES-1
describe('the gateway of a front whose link breaks', () => {
  it('continues from before the event by which a member left, unless what follows it has arrived', () => {
    const front = aFront()
    front.open('ana', 1)
    front.show(1, 6, leaves('bruno', 6))
    expect(front.interrupt().topics).toEqual([[1, 'team', 5, true]])
    front.show(1, 6, leaves('bruno', 6))
    front.show(1, 7, unpin(7))
    expect(front.received.filter((line) => line.startsWith(TEAM))).toEqual([
      `${TEAM} user_left_group 6`,
      `${TEAM} message_unpinned 7`,
    ])
    expect(front.interrupt().topics).toEqual([[1, 'team', 7, false]])
    front.show(1, 8, leaves('bruno', 8))
    // A heartbeat of the engine.
    front.gateway.sweep()
    expect(front.interrupt().topics).toEqual([[1, 'team', 8, false]])
  })

  it('does not send a session again what it had received when it left the topic', async () => {
    const front = aFront()
    const session = front.open('ana', 1)
    front.show(1, 6, leaves('ana', 6))
    front.gateway.take(ToFront.unsubscribe, session, u32(1), NONE)
    await front.missed(session, 6, leaves('ana', 6))
    await front.missed(session, 7, unpin(7))
    expect(front.received.filter((line) => line.startsWith('ana '))).toEqual([
      ...['ana connected', `ana + ${TEAM}`, `ana - ${TEAM}`, 'ana message_unpinned 7'],
    ])
    const [, topics, , missed] = front.interrupt().sessions[0] ?? []
    expect([topics, missed]).toEqual([[], [['team', 7]]])
  })

  it('subscribes only sessions that have left a group to what came while their user was in it again', async () => {
    const front = aFront()
    front.open('eva', 1)
    // It begins to receive the group when the link breaks: events from before would come later.
    front.open('eva')
    front.interrupt()
    front.open('eva')
    await Promise.resolve()
    front.received.length = 0
    const change = (what: object) =>
      front.gateway.take(ToFront.changeSubscribers, 1, Buffer.from(TEAM), packed(what))
    change({ left: 'eva' })
    change({ joined: 'eva', after: 6 })
    expect(front.received).toEqual([`eva - ${TEAM}`, `eva + ${TEAM}`])
    expect(front.interrupt().sessions.map(([, topics]) => topics)).toEqual([[1], [], []])
    front.received.length = 0
    change({ joined: 'eva', after: 8 })
    expect(front.received).toEqual([])
  })

  it('names the topics of a session in many groups, each once, without those that it has left', () => {
    const front = aFront()
    const session = front.open('ana')
    const numbers = Array.from({ length: 200 }, (_, i) => i + 1)
    for (const topic of [...numbers, ...numbers]) front.subscribe(session, topic, 5, `g:${topic}`)
    const left = numbers.filter((topic) => topic % 10 === 0)
    for (const topic of [...left, ...left]) front.gateway.take(ToFront.unsubscribe, session, u32(topic), NONE)
    const { topics, sessions } = front.interrupt()
    const names = new Map(topics.map(([number, name]) => [number, name]))
    const expected = numbers.filter((topic) => topic % 10 !== 0).map(String)
    expect(sessions[0]?.[1].map((number) => names.get(number))).toEqual(expected)
    expect([...names.values()]).toEqual(expected)
  })

  it('makes the requests of a session once the engine has continued it', () => {
    const front = aFront()
    const session = front.open('ana')
    const frame = encodeRequest('ping', 1, {})
    const ping = () => front.gateway.receive(session, frame, viewFrame(frame) as FrameView)
    expect(front.interrupt().sessions.length).toBe(1)
    ping()
    expect(front.frames()).toBe(0)
    front.gateway.take(ToFront.reopened, session, NONE, NONE)
    expect(front.frames()).toBe(1)
    ping()
    expect(front.frames()).toBe(2)
  })

  it('forgets where the groups of a session began that has not received `connected`', () => {
    const front = aFront()
    const session = front.gateway.open({ userId: 'ana' }, portOf('ana', front.received))
    front.gateway.take(ToFront.attaching, session, NONE, baselines)
    expect(front.interrupt().sessions).toEqual([])
    front.gateway.take(ToFront.send, session, NONE, connected('ana'))
    expect(front.interrupt().sessions[0]?.[2]).toEqual([])
  })

  it('remembers where groups began from `connected` on, however late that arrives', () => {
    const front = aFront()
    const session = front.gateway.open({ userId: 'ana' }, portOf('ana', front.received))
    front.gateway.take(ToFront.attaching, session, NONE, baselines)
    front.advance(31_000)
    front.gateway.take(ToFront.send, session, NONE, connected('ana'))
    front.gateway.sweep()
    const [, , attaching] = front.interrupt().sessions[0] ?? []
    expect(attaching).toHaveLength(1)
  })

  it('remembers where groups began for 30 s, and as long as a session resumes', () => {
    const front = aFront()
    const session = front.open('ana')
    const frame = encodeRequest('resume', 1, { groups: [['team', 0]] })
    front.gateway.receive(session, frame, viewFrame(frame) as FrameView)
    expect(front.gateway.unanswered).toBe(1)
    const later = () => {
      front.advance(31_000)
      front.gateway.sweep()
      return front.interrupt().sessions[0]?.[2].map((bytes) => Uint8Array.from(bytes))
    }
    expect(later()).toEqual([baselines])
    front.gateway.take(ToFront.send, session, NONE, encodeEvent('resumed', 1, { groups: [] }))
    expect(later()).toEqual([])
  })
})
