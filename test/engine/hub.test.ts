import { describe, expect, it } from 'vitest'
import { Hub } from '../../engine/hub.ts'
import { Outbox, ToHub } from '../../engine/shards/batch.ts'
import { decodeEvent, encodeEvent } from '../../protocol/codec.ts'

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

/** A hub with one session of Ana's, and what that session was sent. */
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
  const shard = new Outbox((batch) => hub.take(0, batch), queueMicrotask)
  return { shard, session, sent, closed }
}

describe('what a user is to hear', () => {
  it('waits for the connected of a session', () => {
    const { shard, session, sent } = aHub()
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(sent).toEqual([])
    shard.push(ToHub.send, session, undefined, connected)
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(sent).toEqual(['connected', 'token_expiring', 'token_expiring'])
  })

  it('closes a session that waits too long for that', () => {
    const { shard, closed } = aHub()
    for (let i = 0; i < 256; i++) shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(closed).toEqual([])
    shard.push(ToHub.sendUser, 0, Buffer.from('ana'), invited)
    shard.flush()
    expect(closed).toEqual(['failed'])
  })
})
