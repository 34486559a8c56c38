import { describe, expect, it } from 'vitest'
import { shardOf } from '../../engine/base/partition.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Session } from '../../engine/hub/session.ts'
import { ToHub, ToShard } from '../../engine/shards/hub-records.ts'
import { type SessionIdentity, Shard, type ShardOptions } from '../../engine/shards/shard.ts'
import { BatchWriter, readBatch } from '../../engine/threads/batch.ts'
import { pack } from '../../engine/threads/packing.ts'
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import type { Event } from '../../protocol/events.ts'
import { peekHead } from '../../protocol/frame-head.ts'
import { viewFrame } from '../../protocol/frame-view.ts'
import { type RequestName, requests } from '../../protocol/requests.ts'
import { toPositional } from '../../protocol/schema.ts'
import { modes } from '../support/engines.ts'
import { text } from '../support/sessions.ts'

/** A msgpack string with the length header of this tag. */
function wide(tag: 0xd9 | 0xda | 0xdb, value: string): Uint8Array {
  const bytes = Buffer.from(value)
  const header = Buffer.alloc(2 ** (tag - 0xd9))
  header.writeUIntBE(bytes.length, 0, header.length)
  return Buffer.concat([Uint8Array.of(tag), header, bytes])
}

/** A request whose first field, or the first item of it, has a wide header. */
function wideFrame(name: RequestName, ref: number, fields: Record<string, unknown>, tag: 0xd9 | 0xda | 0xdb) {
  const narrow = encodeRequest(name, ref, fields as never)
  const head = peekHead(narrow)
  if (!head) throw new Error('no head')
  const id = Buffer.from(narrow.subarray(head.idStart, head.idEnd))
  const headerBytes = id.length <= 31 ? 1 : 2
  return Buffer.concat([
    narrow.subarray(0, head.idStart - headerBytes),
    wide(tag, id.toString()),
    narrow.subarray(head.idEnd),
  ])
}

/** A connection that sends frames unchanged. */
function rawPort(engine: Engine, userId: string) {
  const waiting = new Map<number, (event: Event) => void>()
  const session = engine.gateway.open(
    { userId },
    {
      send(frame) {
        const event = decodeEvent(frame)
        if (event) waiting.get(event.ref)?.(event)
      },
      subscribe() {},
      unsubscribe() {},
      close() {},
      whenDrained: (then) => then(),
    },
  )
  return (frame: Uint8Array) =>
    new Promise<Event>((resolve) => {
      const view = viewFrame(frame)
      if (!view) throw new Error('no head')
      waiting.set(view.ref, resolve)
      engine.gateway.receive(session, frame, view)
    })
}

const groups = ['kitchen', 'garden', 'attic', 'cellar', 'd-1', 'hall']

// TRN-4, TRN-9
describe.each(modes)('a group id with a wide length header ($mode)', ({ start }) => {
  it('reaches the one actor of the group', async () => {
    const engine = await start()
    const ana: Session = await engine.connect({ userId: 'ana' })
    const send = rawPort(engine, 'bruno')
    let ref = 0
    for (const groupId of groups) {
      await ana.createGroup({ kind: 'group', groupId, members: ['bruno'] })
      await ana.sendMessage(text(groupId, 'first'))
      for (const tag of [0xd9, 0xda, 0xdb] as const) {
        const fields = { groupId, content: `wide ${tag}`, tempId: `wide ${tag}` }
        const sent = await send(wideFrame('send_message', ++ref, fields, tag))
        const again = await send(encodeRequest('send_message', ++ref, fields))
        expect(sent).toMatchObject({ event: 'message_sent' })
        // IDM-1: the narrow form finds the message sent in the wide form.
        const seqOf = (event: Event) => event.event === 'message_sent' && event.fields.message.seq
        expect(seqOf(again)).toBe(seqOf(sent))
        const messageId = `${groupId}:${seqOf(sent)}`
        const read = await send(wideFrame('message_read', ++ref, { messageIds: [messageId], groupId }, tag))
        const edited = await send(
          wideFrame('edit_message', ++ref, { messageId, content: `edited ${tag}` }, tag),
        )
        expect([read.event, edited.event]).toEqual(['ok', 'ok'])
      }
      const { messages, gaps } = await ana.getHistory({ groupId })
      expect(messages.map(({ content }) => content)).toEqual([
        'first',
        'edited 217',
        'edited 218',
        'edited 219',
      ])
      expect(gaps ?? []).toEqual([])
      await ana.banMember({ groupId, userId: 'bruno' })
      const fields = { groupId, content: 'banned', tempId: 'banned' }
      expect((await send(wideFrame('send_message', ++ref, fields, 0xda))).event).toBe('message_error')
    }
    const loaded = (await engine.stats()).shards.reduce((sum, shard) => sum + shard.groups, 0)
    expect(loaded).toBe(groups.length)
  })
})

describe('a shard', () => {
  /** A read that is not answered. */
  const never = () => new Promise<never>(() => {})

  /** Shard 0 of two, with its messages to the hub. */
  function aShard(more: Partial<ShardOptions> = {}) {
    const said: string[] = []
    const handled: number[] = []
    const toHub = new BatchWriter(
      (batch) =>
        readBatch(batch, (kind, number, id, body) => {
          if (kind === ToHub.handled) handled.push(number)
          if (kind === ToHub.log) said.push(`log ${number} ${Buffer.from(id)}`)
          if (kind === ToHub.close) said.push(`close ${number} ${Buffer.from(id)}`)
          const event = kind === ToHub.send ? decodeEvent(body) : null
          if (event?.event === 'error') said.push(`answer ${event.ref} ${event.fields.code}`)
        }),
      () => {},
    )
    const shard = new Shard(
      {
        index: 0,
        shards: 2,
        idleMs: 1,
        durability: 'process',
        fanout: 'immediate',
        presenceGraceMs: 1,
        rules: { editWindowMs: 0, maxGroupsPerUser: 0, contactPolicy: 'open' },
        greeting: {
          serverVersion: '1',
          limits: { maxMessageBytes: 0, maxContentBytes: 0, rateLimit: 0, resumeEvents: 0 },
        },
        ...more,
      },
      {
        now: () => 77,
        steadyNow: () => 77,
        newId: () => 'fresh',
        after: () => () => {},
        toHub,
        defer: () => {},
        openLog: () => ({ append() {}, events: never, close() {} }),
        views: { ofGroup: never, ofUser: never },
        search: { search: never },
        files: {
          run: () => new Promise(() => {}),
          depths: { uploads: 0, uploadBytes: 0 },
          sweep() {},
          close: async () => {},
        },
      },
    )
    const fromHub = new BatchWriter(
      (batch) => shard.receive(batch),
      () => {},
    )
    return { shard, said, handled, toHub, fromHub }
  }

  const foreign = groups.find((id) => shardOf(id, 2) === 1) as string

  it('refuses and logs an id that another shard owns, and opens no second actor', () => {
    const { shard, said, toHub, fromHub } = aShard()
    const identity: SessionIdentity = {
      userId: 'ana',
      name: 'Ana',
      picture: '',
      sessionId: 's',
      listening: false,
    }
    fromHub.push(ToShard.open, 1, undefined, pack(identity))
    fromHub.push(ToShard.frame, 1, undefined, encodeRequest('get_history', 7, { groupId: foreign }))
    fromHub.push(
      ToShard.mail,
      0,
      undefined,
      pack({ to: 'group', id: foreign, mail: { type: 'user_disconnected', userId: 'ana' } }),
    )
    fromHub.flush()
    toHub.flush()
    expect(said).toEqual([
      'log 2 a frame failed',
      'answer 7 internal',
      'log 2 mail "user_disconnected" could not be delivered',
    ])
    expect(shard.stats().groups).toBe(0)
    shard.close()
  })

  it('opens no actor for an invalid id', () => {
    const { shard, said, toHub, fromHub } = aShard()
    const identity: SessionIdentity = {
      userId: 'ana',
      name: 'Ana',
      picture: '',
      sessionId: 's',
      listening: false,
    }
    fromHub.push(ToShard.open, 1, undefined, pack(identity))
    for (const id of ['', 'a b', 'é', 'g'.repeat(65), null, 5, Buffer.from('g'), ['g']]) {
      const wire = toPositional(requests.join_group.fields, { groupId: id }, [requests.join_group.code, 7])
      fromHub.push(ToShard.frame, 1, undefined, pack(wire))
    }
    fromHub.flush()
    toHub.flush()
    expect(said).toEqual(new Array(8).fill('answer 7 bad_request'))
    expect(shard.stats().groups).toBe(0)
    shard.close()
  })

  it('refuses actors above its limit, and still answers those it has (OVL-1)', () => {
    const { shard, said, toHub, fromHub } = aShard({ maxActors: 2 })
    const identity: SessionIdentity = {
      userId: 'ana',
      name: 'Ana',
      picture: '',
      sessionId: 's',
      listening: false,
    }
    const own = Array.from({ length: 20 }, (_, i) => `g${i}`).filter((id) => shardOf(id, 2) === 0)
    fromHub.push(ToShard.open, 1, undefined, pack(identity))
    for (const [i, groupId] of own.slice(0, 3).entries()) {
      fromHub.push(ToShard.frame, 1, undefined, encodeRequest('get_history', i + 1, { groupId }))
    }
    fromHub.flush()
    toHub.flush()
    expect(said).toEqual(['answer 3 overloaded'])
    expect(shard.stats()).toMatchObject({ groups: 2, mail: 2 })
  })
  it('reports handled records with its next answer, or when there are many (OVL-1)', () => {
    const { shard, handled, toHub, fromHub } = aShard()
    const receive = (kind: number, times = 1) => {
      for (let i = 0; i < times; i++) fromHub.push(kind, 9)
      fromHub.flush()
      toHub.flush()
    }
    receive(ToShard.closed, 3)
    expect(handled).toEqual([])
    receive(ToShard.report)
    expect(handled).toEqual([4])
    receive(ToShard.closed, 1_023)
    expect(handled).toEqual([4])
    receive(ToShard.closed)
    expect(handled).toEqual([4, 1_024])
    shard.close()
  })
})
