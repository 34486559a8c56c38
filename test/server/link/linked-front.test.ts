import { describe, expect, it } from 'vitest'
import { addressOf, seqBytes, withSeq } from '../../../engine/base/seq-bytes.ts'
import { Hub } from '../../../engine/hub/hub.ts'
import { type Announcement, ToHub, ToShard } from '../../../engine/shards/hub-records.ts'
import type { SessionIdentity } from '../../../engine/shards/shard.ts'
import { BatchWriter, readBatch } from '../../../engine/threads/batch.ts'
import { pack, unpack } from '../../../engine/threads/packing.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { DetachedFronts } from '../../../server/link/detached-fronts.ts'
import { ToEngine, ToFront } from '../../../server/link/link-records.ts'
import { type LinkableEngine, LinkedFront } from '../../../server/link/linked-front.ts'
import { packed } from '../../../server/link/packed.ts'
import { StatusWait } from '../../../server/link/status-wait.ts'
import { memoryLog } from './harness.ts'

const NONE = new Uint8Array(0)
const status = encodeEvent('contact_status_changed', 0, { userId: 'bruno', status: 'online', timestamp: 1 })
const typing = encodeEvent('user_typing', 0, { groupId: 'team', userId: 'bruno', userName: 'B' })

/** A hub with two shards, and a front linked to it; `sent` has the kinds of the records for the front. */
function aLinkedFront() {
  const batches: Uint8Array[] = []
  const flushes: (() => void)[] = []
  const ports = [0, 1].map(() => ({ post: (batch: Uint8Array) => void batches.push(batch) }))
  const hub = new Hub(ports, (flush) => void flushes.push(flush), memoryLog())
  const [shard, other] = [0, 1].map(
    (index) => new BatchWriter((batch) => hub.take(index, batch), queueMicrotask),
  ) as [BatchWriter, BatchWriter]
  const sent: number[] = []
  const front = new LinkedFront({
    engine: { gateway: hub } as unknown as LinkableEngine,
    limits: undefined,
    logger: memoryLog(),
    push: (kind) => void sent.push(kind),
    onNotice() {},
    wasGivenUp: () => false,
    onSettled() {},
    statusWait: new StatusWait(() => [], { after: () => () => {} }),
  })
  /** What is not durable, to the topic by itself and to several topics. */
  const publish = () => {
    sent.length = 0
    const announcement: Announcement = { topics: ['g:team'], exceptUsers: [] }
    shard.push(ToHub.publish, 0, Buffer.from('e:team'), typing)
    shard.push(ToHub.announce, 0, status, pack(announcement))
    shard.flush()
    return [...sent]
  }
  /** These shards have handled everything that was sent to them. */
  const settled = (...shards: readonly BatchWriter[]) => {
    for (const one of shards) {
      one.push(ToHub.settled, 1)
      one.flush()
    }
  }
  /** The users of continued sessions, with the groups whose events they receive, as their shards know it. */
  const opened = () => {
    for (const flush of flushes.splice(0)) flush()
    const users: [string, readonly string[]][] = []
    for (const batch of batches.splice(0)) {
      readBatch(batch, (kind, _, __, body) => {
        if (kind !== ToShard.open) return
        const { userId, earlier } = unpack<SessionIdentity>(body)
        if (earlier) users.push([userId, earlier.subscribed.map(([groupId]) => groupId)])
      })
    }
    return users.sort()
  }
  return { shard, other, front, sent, publish, settled, opened }
}

// RES-1, PRS-3, PRV-1
describe('a front that names its topics and sessions', () => {
  it('receives nothing that is not durable until the topics continue and the sessions are open', () => {
    const { front, shard, other, publish, settled } = aLinkedFront()
    front.take(ToEngine.topics, 0, NONE, packed([[1, 'team', 5]]))
    front.take(ToEngine.reopen, 1, NONE, packed([{ userId: 'ana' }, [1], [], []]))
    expect(publish()).toEqual([])
    front.take(ToEngine.settled, 0, NONE, NONE)
    expect(publish()).toEqual([])
    shard.push(ToHub.continued, 1, Buffer.from('g:team'), pack('live'))
    expect(publish()).toEqual([])
    shard.push(ToHub.reopened, 1)
    shard.flush()
    // A shard may have published this before it knew the blocks of the session's user.
    expect(publish()).toEqual([])
    settled(shard)
    expect(publish()).toEqual([])
    settled(other)
    expect(publish()).toEqual([ToFront.publish, ToFront.send])
  })

  it('does not wait for a session that is closed meanwhile', () => {
    const { front, shard, other, publish, settled } = aLinkedFront()
    front.take(ToEngine.reopen, 1, NONE, packed([{ userId: 'ana' }, [], [], []]))
    front.take(ToEngine.closed, 1, NONE, NONE)
    front.take(ToEngine.open, 2, NONE, packed({ userId: 'ana' }))
    front.take(ToEngine.settled, 0, NONE, NONE)
    shard.push(ToHub.subscribe, 2, seqBytes([5]), Buffer.from('team'))
    settled(shard, other)
    expect(publish()).toEqual([ToFront.publish, ToFront.send])
  })
})

// RES-1
describe('a user who leaves a group before the front has named their session', () => {
  function aFrontThatNamesTopics() {
    const linked = aLinkedFront()
    const { front, shard } = linked
    front.take(ToEngine.topics, 0, NONE, packed([[1, 'team', 5]]))
    /** Everyone receives an event, then Ana leaves; returns what is sent to the front. */
    const leave = () => {
      linked.sent.length = 0
      shard.push(ToHub.show, 0, withSeq(addressOf('g:team'), 6), typing)
      shard.push(ToHub.unsubscribe, 0, Buffer.from('g:team'), Buffer.from('ana'))
      shard.flush()
      return [...linked.sent]
    }
    return { ...linked, leave }
  }

  it('is unsubscribed by the front, and stays so when the session is continued', () => {
    const { front, shard, leave, opened } = aFrontThatNamesTopics()
    shard.push(ToHub.continued, 1, Buffer.from('g:team'), pack('live'))
    expect(leave()).toEqual([ToFront.show, ToFront.changeSubscribers])
    front.take(ToEngine.reopen, 1, NONE, packed([{ userId: 'ana' }, [1], [], []]))
    front.take(ToEngine.reopen, 2, NONE, packed([{ userId: 'bruno' }, [1], [], []]))
    expect(opened()).toEqual([
      ['ana', []],
      ['bruno', ['team']],
    ])
  })

  it('receives what was missed first if the topic has not continued yet', () => {
    const { leave } = aFrontThatNamesTopics()
    expect(leave()).toEqual([])
  })
})

describe('fronts whose links have ended', () => {
  function detached() {
    const due = new Set<() => void>()
    const fronts = new DetachedFronts({
      after(_, then) {
        due.add(then)
        return () => due.delete(then)
      },
    })
    const { front } = aLinkedFront()
    front.take(ToEngine.open, 1, NONE, packed({ userId: 'ana' }))
    const expire = () => {
      for (const then of due) then()
      due.clear()
    }
    return { fronts, front, expire }
  }

  it('have their sessions until the front has opened them again', () => {
    const { fronts, front, expire } = detached()
    fronts.linked('a')
    fronts.add('a', front)
    expect(front.sessions).toBe(1)
    fronts.endAll('a')
    expect([front.sessions, fronts.wasGivenUp('a')]).toEqual([0, false])
    expire()
    expect(fronts.wasGivenUp('a')).toBe(false)
  })

  it('are given up after a time, which is known until the front has opened its sessions again', () => {
    const { fronts, front, expire } = detached()
    for (const id of ['a', 'b']) fronts.linked(id)
    fronts.add('a', front)
    expire()
    expect([front.sessions, fronts.wasGivenUp('a'), fronts.wasGivenUp('b')]).toEqual([0, true, false])
    fronts.endAll('a')
    expect(fronts.wasGivenUp('a')).toBe(false)
  })

  it('are given up also if they connect too long after the start, until they have opened their sessions', () => {
    const { fronts, expire } = detached()
    expire()
    fronts.linked('a')
    expect(fronts.wasGivenUp('a')).toBe(true)
    fronts.endAll('a')
    expect(fronts.wasGivenUp('a')).toBe(false)
  })
})
