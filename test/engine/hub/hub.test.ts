import { describe, expect, it } from 'vitest'
import { seqBytes } from '../../../engine/base/seq-bytes.ts'
import { Hub } from '../../../engine/hub/hub.ts'
import { type Announcement, ToHub, ToShard } from '../../../engine/shards/hub-records.ts'
import { BatchWriter, readBatch } from '../../../engine/threads/batch.ts'
import { pack } from '../../../engine/threads/packing.ts'
import { decodeEvent, encodeEvent, encodeRequest } from '../../../protocol/codec.ts'
import { type FrameView, viewFrame } from '../../../protocol/frame-view.ts'

const silent = { info() {}, warn() {}, error() {} }

const connected = encodeEvent('connected', 0, {
  message: 'connected',
  userId: 'ana',
  timestamp: 1,
  sessionId: 's',
  serverVersion: '1',
  limits: { maxMessageBytes: 1, maxContentBytes: 1, rateLimit: 0, resumeEvents: 1 },
  groups: [],
})
const invited = encodeEvent('token_expiring', 0, { expiresAt: 1 })

/** A hub with one session of Ana, and what that session was sent. */
function aHub() {
  const sent: (string | undefined)[] = []
  const closed: string[] = []
  const hub = new Hub([{ post() {} }], () => {}, silent)
  const session = hub.open(
    { userId: 'ana' },
    {
      send: (frame) => sent.push(decodeEvent(frame)?.event),
      subscribe() {},
      unsubscribe() {},
      close: (reason) => closed.push(reason),
      whenDrained() {},
    },
  )
  const shard = new BatchWriter((batch) => hub.take(0, batch), queueMicrotask)
  return { hub, shard, session, sent, closed }
}

describe('events for a user', () => {
  it('wait for the `connected` of a session', () => {
    const { shard, session, sent } = aHub()
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(sent).toEqual([])
    shard.push(ToHub.send, session, undefined, connected)
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(sent).toEqual(['connected', 'token_expiring', 'token_expiring'])
  })

  it('are bounded: a session that waits too long is closed', () => {
    const { shard, closed } = aHub()
    for (let i = 0; i < 256; i++) shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(closed).toEqual([])
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(closed).toEqual(['failed'])
  })
})

describe('an event for several topics', () => {
  it('reaches each session once, except one session and the sessions of one user', () => {
    const hub = new Hub([{ post() {} }], () => {}, silent)
    const shard = new BatchWriter((batch) => hub.take(0, batch), queueMicrotask)
    const received: string[] = []
    const open = (userId: string, name: string) =>
      hub.open(
        { userId },
        { send: () => received.push(name), subscribe() {}, unsubscribe() {}, close() {}, whenDrained() {} },
      )
    const sessions = [open('ana', 'ana'), open('ana', 'ana 2'), open('bruno', 'bruno'), open('eva', 'eva')]
    const topics = ['g:a', 'g:b', 'g:c']
    for (const session of sessions) {
      shard.push(ToHub.subscribe, session, seqBytes([0, 0]), Buffer.from('a\nb'))
      shard.push(ToHub.subscribe, session, seqBytes([0]), Buffer.from('c'))
    }
    const announce = (more: object) => {
      shard.push(
        ToHub.announce,
        0,
        invited,
        pack({ topics, exceptUsers: [], ...more } satisfies Announcement),
      )
      shard.flush()
      return received.splice(0)
    }
    // PRS-3
    expect(announce({})).toEqual(['ana', 'ana 2', 'bruno', 'eva'])
    expect(announce({ exceptUsers: ['ana'] })).toEqual(['bruno', 'eva'])
    expect(announce({ exceptSession: sessions[1] })).toEqual(['ana', 'bruno', 'eva'])
    shard.push(ToHub.unsubscribe, 0, Buffer.from('g:a'), Buffer.from('bruno'))
    expect(announce({ topics: ['g:a'] })).toEqual(['ana', 'ana 2', 'eva'])
    hub.closed(sessions[3] as number)
    expect(announce({})).toEqual(['ana', 'ana 2', 'bruno'])
  })
})

describe('an event for one topic', () => {
  it('is published only while a session is subscribed to the group', () => {
    const { hub, shard, session } = aHub()
    const published: string[] = []
    hub.addPublisher({ publish: (topic) => published.push(topic) })
    const publish = () => {
      for (const topic of ['g:a', 'e:a', 'g:b']) shard.push(ToHub.publish, 0, Buffer.from(topic), invited)
      shard.flush()
      return published.splice(0)
    }
    expect(publish()).toEqual([])
    shard.push(ToHub.subscribe, session, seqBytes([0]), Buffer.from('a'))
    expect(publish()).toEqual(['g:a', 'e:a'])
    shard.push(ToHub.unsubscribe, 0, Buffer.from('g:a'), Buffer.from('ana'))
    expect(publish()).toEqual([])
    shard.push(ToHub.subscribe, session, seqBytes([0]), Buffer.from('a'))
    shard.flush()
    hub.closed(session)
    expect(publish()).toEqual([])
  })
})

describe('a session that only sends requests', () => {
  it('is known to the shards of its requests and to no other', () => {
    const got: string[][] = [[], [], []]
    const names = new Map<number, string>(Object.entries(ToShard).map(([name, kind]) => [kind, name]))
    const tasks: (() => void)[] = []
    const ports = got.map((said) => ({
      post: (batch: Uint8Array) => readBatch(batch, (kind) => said.push(names.get(kind) ?? '')),
    }))
    const hub = new Hub(ports, (task) => tasks.push(task), silent)
    const port = { send() {}, subscribe() {}, unsubscribe() {}, close() {}, whenDrained() {} }
    const session = hub.openSilent({ userId: 'ana' }, port, false)
    const frame = encodeRequest('get_history', 1, { groupId: 'g' })
    hub.receive(session, frame, viewFrame(frame) as FrameView)
    hub.closed(session)
    for (const task of tasks) task()
    expect(got.filter((said) => said.length > 0)).toEqual([['openWithFrame', 'closed']])
  })
})

// OVL-1
describe('the inbox of a shard', () => {
  const MAX_INBOX = 65_536
  const frame = encodeRequest('ping', 7, {})
  const view = viewFrame(frame) as FrameView

  it('holds a limited number of records that the shard has not handled; then requests are overloaded', () => {
    const { hub, shard, session } = aHub()
    // The first record is the session.
    for (let records = 1; records < MAX_INBOX; records++) hub.receive(session, frame, view)
    const overloaded = expect.objectContaining({ code: 'overloaded', retryAfterMs: 500 })
    expect(() => hub.receive(session, frame, view)).toThrow(overloaded)

    shard.push(ToHub.handled, 2)
    shard.flush()
    for (let i = 0; i < 2; i++) hub.receive(session, frame, view)
    expect(() => hub.receive(session, frame, view)).toThrow(overloaded)
  })
})
