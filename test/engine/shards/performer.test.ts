import { describe, expect, it } from 'vitest'
import {
  answer,
  answerCommitted,
  append,
  type Effect,
  type Effects,
  read,
  record,
  send,
  tellUser,
} from '../../../engine/actors/effects.ts'
import { laneOf, shardOf } from '../../../engine/base/partition.ts'
import { decodeEvent } from '../../../protocol/codec.ts'
import { ChatError } from '../../../protocol/errors.ts'
import { aPost, by } from '../../support/groups.ts'
import { aPerformer } from '../../support/performer.ts'

const post = (seq: number): Effect => record(seq, 0, 'new_message', { message: aPost(seq) })
const sentPost = (seq: number): Effect =>
  record(seq, 0, 'new_message', { message: aPost(seq) }, { by: by('ana'), tempId: `t${seq}` })
const ok = answerCommitted(by('ana'), 'ok', {})

/** Lets pending promises continue. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a recorded event', () => {
  it('is written, shown to all members at once, and answered once it is committed', () => {
    const { perform, entries, toHub, log, group, state } = aPerformer()
    perform([sentPost(2)])
    expect(entries).toEqual([{ type: 'message', message: aPost(2) }])
    expect(toHub()).toEqual(['publish g:g new_message'])
    expect([group.lastOffset, state.publishedSeq]).toEqual([1, 2])
    expect(state.recent.find(2)).toEqual({ seq: 2, message: aPost(2) })
    log.committed(1)
    expect(toHub()).toEqual(['send 3 message_sent'])
  })

  it('that is not a post is stored as the frame that members receive', () => {
    const { perform, entries } = aPerformer()
    perform([record(2, 5, 'gap', { groupId: 'g', seq: 2, from: 1, to: 1 })])
    const [entry] = entries
    if (entry?.type !== 'event') throw new Error('no event')
    expect(entry).toMatchObject({ groupId: 'g', seq: 2, code: 79, at: 5 })
    expect(decodeEvent(entry.frame)).toMatchObject({ event: 'gap', ref: 0, fields: { seq: 2 } })
  })

  it('waits with FANOUT=committed until it is committed; then it is shown, and answered after that', () => {
    const { perform, toHub, log, state } = aPerformer({ fanout: 'committed' })
    perform([sentPost(2)])
    perform([sentPost(3)])
    expect([toHub(), state.publishedSeq]).toEqual([[], 1])
    log.committed(1)
    expect(toHub()).toEqual(['publish g:g new_message', 'send 3 message_sent'])
    expect(state.publishedSeq).toBe(2)
    log.committed(2)
    expect(toHub()).toEqual(['publish g:g new_message', 'send 3 message_sent'])
    expect(state.publishedSeq).toBe(3)
  })

  it('is answered at once with DURABILITY=memory', () => {
    const { perform, toHub } = aPerformer({ durability: 'memory' })
    perform([sentPost(2)])
    expect(toHub()).toEqual(['publish g:g new_message', 'send 3 message_sent'])
  })
})

describe('an answer once committed', () => {
  it('waits for everything that was written before it, by any actor, and not for later writes', () => {
    const { perform, toHub, log } = aPerformer()
    perform([post(2)])
    perform([ok])
    perform([post(3)])
    toHub()
    log.committed(1)
    expect(toHub()).toEqual(['send 3 ok'])
    // Only post 3 is still uncommitted.
    log.committed(2)
    perform([ok])
    expect(toHub()).toEqual(['send 3 ok'])
  })

  it('does not delay answers that need no commit', () => {
    const { perform, toHub } = aPerformer()
    perform([post(2), ok, answer(by('ana'), 'pong', { serverTime: 0 } as never)])
    expect(toHub()).toEqual(['publish g:g new_message', 'send 3 pong'])
  })
})

describe('sessions', () => {
  it('receive the event that ended their membership before they are unsubscribed', () => {
    const leave: Effects = [
      record(2, 0, 'user_left_group', { userId: 'ana', userName: 'Ana', groupId: 'g', seq: 2 } as never),
      { type: 'unsubscribe', userId: 'ana', groupId: 'g' },
    ]
    const immediate = aPerformer()
    immediate.perform(leave)
    expect(immediate.toHub()).toEqual(['publish g:g user_left_group', 'unsubscribe g:g ana'])
    const committed = aPerformer({ fanout: 'committed' })
    committed.perform(leave)
    expect(committed.toHub()).toEqual([])
    committed.log.committed(1)
    expect(committed.toHub()).toEqual(['publish g:g user_left_group', 'unsubscribe g:g ana'])
  })

  it('get frames, topics, mail and their close in the order of the effects', () => {
    const { perform, toHub } = aPerformer()
    perform([
      send(5, 'pong', { serverTime: 0 } as never),
      { type: 'subscribe', session: 5, groupId: 'g', after: 0 },
      {
        type: 'when_drained',
        session: 5,
        groupId: 'g',
        mail: { type: 'replay', session: 5, userId: 'ana', from: 1, to: 2, counted: false },
      },
      tellUser('bruno', { type: 'left', groupId: 'g', seq: 9 }),
      { type: 'close', session: 5, reason: 'failed' },
    ])
    expect(toHub()).toEqual([
      'send 5 pong',
      'subscribe 5 g',
      'whenDrained 5',
      `mail ${shardOf('bruno', 4)} bruno`,
      'close 5 failed',
    ])
  })
})

describe('a read', () => {
  const profiles = (then: () => Effects) => read({ read: 'profiles', userIds: [] }, by('ana'), then)

  it('continues with its result, and holds its group in memory until then', async () => {
    const { perform, reads, toHub, group } = aPerformer()
    perform([profiles(() => [answer(by('ana'), 'ok', {})])])
    expect([group.reading, toHub()]).toEqual([1, []])
    reads[0]?.resolve([])
    await settled()
    expect([group.reading, toHub()]).toEqual([0, ['send 3 ok']])
  })

  it('that fails is answered as `internal` and logged; a refusal is answered unchanged', async () => {
    const { perform, reads, toHub, group } = aPerformer()
    perform([profiles(() => [])])
    perform([
      profiles(() => {
        throw new ChatError('not_a_member')
      }),
    ])
    reads[0]?.reject(new Error('unreadable'))
    reads[1]?.resolve([])
    await settled()
    expect([...toHub()].sort()).toEqual([
      'log 2 read "profiles" failed',
      'send 3 error internal',
      'send 3 error not_a_member',
    ])
    expect(group.reading).toBe(0)
  })
})

describe('a post that was changed', () => {
  const RETAINED = 64
  const edited = (seq: number) => ({ ...aPost(seq), content: `edited ${seq}` })
  /** This number of posts, each changed once and committed. */
  function changedPosts(reading: number, count: number) {
    const { perform, log, group, entries, state } = aPerformer()
    group.reading = reading
    for (let seq = 1; seq <= count; seq++) {
      perform([{ type: 'change', seq: count + seq, before: aPost(seq), message: edited(seq) }])
      state.publishedSeq = count + seq
      log.committed(entries.length)
    }
    const { changed } = state
    return { perform, group, known: () => changed.find(1)?.content }
  }

  // A result that the log read before the change contains the old post.
  it('stays in memory while a read that began before it is running, however many are changed later', () => {
    expect(changedPosts(1, 3 * RETAINED).known()).toBe('edited 1')
  })

  it('may be dropped when no read is running, the oldest first', () => {
    expect(changedPosts(0, RETAINED).known()).toBe('edited 1')
    expect(changedPosts(0, RETAINED + 2).known()).toBeUndefined()
  })
})

describe('when storage fails', () => {
  it('all held answers become refusals, a post’s by its tempId, and writes are refused until it recovers', () => {
    const { perform, ledger, log, toHub, logCalls, group } = aPerformer()
    perform([sentPost(2), ok])
    toHub()
    expect(ledger.refusal(group.lane)).toBeNull()
    log.failing('no room')
    expect(toHub()).toEqual([
      'storage 0 no room',
      'send 3 message_error t2',
      'send 3 error storage_unavailable',
    ])
    expect(ledger.refusal(group.lane)).toMatchObject({
      code: 'storage_unavailable',
      retryAfterMs: 1_000,
    })
    // Reported once, even if it is retried often.
    log.failing('no room')
    expect(toHub()).toEqual([])
    expect(logCalls).toEqual(['storage_unavailable', 'storage_unavailable'])
    log.committed(1)
    expect(toHub()).toEqual(['storage 1'])
    expect(ledger.refusal(group.lane)).toBeNull()
  })

  it('events to be shown, and leases, still follow the commit, in order', () => {
    const { perform, ledger, log, toHub } = aPerformer({ fanout: 'committed' })
    const leased: string[] = []
    perform([sentPost(2)])
    ledger.lease('g', 1_024, () => leased.push('leased'))
    ledger.afterShown(
      'g',
      () => leased.push('shown'),
      () => {},
    )
    log.failing('no room')
    toHub()
    expect(leased).toEqual([])
    log.committed(2)
    expect(toHub()).toEqual(['storage 1', 'publish g:g new_message'])
    expect(leased).toEqual(['leased', 'shown'])
  })
})

describe('a lane of the log', () => {
  /** A group of another lane than `g`. */
  const other = ['g1', 'g2', 'g3'].find((id) => laneOf(id) !== laneOf('g')) as string

  it('that waits holds up no other', () => {
    const { perform, ledger, toHub, log, group, report } = aPerformer()
    const elsewhere = { ...group, groupId: other, topic: Buffer.from(`g:${other}`), lane: laneOf(other) }
    perform([sentPost(2)])
    perform([sentPost(3)], elsewhere)
    toHub()
    report.committed([[elsewhere.lane, 1]])
    expect(toHub()).toEqual(['send 3 message_sent'])
    expect(elsewhere.lastOffset).toBe(1)
    log.committed(1)
    expect(toHub()).toEqual(['send 3 message_sent'])
    // Its failure concerns its own groups only, too.
    log.failing('no room')
    expect(toHub()).toEqual(['storage 0 no room'])
    expect(ledger.refusal(group.lane)).toMatchObject({ code: 'storage_unavailable' })
    expect(ledger.refusal(elsewhere.lane)).toBeNull()
    report.failing([elsewhere.lane], 'no room')
    log.committed(1)
    expect(toHub()).toEqual([])
    report.committed([[elsewhere.lane, 1]])
    expect(toHub()).toEqual(['storage 1'])
  })

  it('may use its share of what may be uncommitted when another lane uses up the limit', () => {
    const { perform, ledger, group } = aPerformer()
    const elsewhere = { ...group, lane: laneOf(other) }
    perform([post(2), ...Array.from({ length: 65_536 }, () => ok)])
    expect(ledger.refusal(group.lane)).toMatchObject({ code: 'overloaded' })
    expect(ledger.refusal(elsewhere.lane)).toBeNull()
    perform([post(3), ...Array.from({ length: 2_047 }, () => ok)], elsewhere)
    expect(ledger.refusal(elsewhere.lane)).toBeNull()
    perform([ok], elsewhere)
    expect(ledger.refusal(elsewhere.lane)).toMatchObject({ code: 'overloaded' })
  })
})

describe('a lease', () => {
  it('is written, and granted once it is committed', () => {
    const { ledger, entries, log, endTurn } = aPerformer()
    let granted = 0
    ledger.lease('g', 1_024, () => {
      granted += 1
    })
    endTurn()
    expect(entries).toEqual([{ type: 'lease', groupId: 'g', ceiling: 1_024 }])
    expect(granted).toBe(0)
    log.committed(1)
    expect(granted).toBe(1)
  })
})

describe('writes', () => {
  it('are refused while too much is uncommitted, and while the shard drains', () => {
    const { perform, ledger, log, logCalls, group } = aPerformer()
    perform([append({ type: 'user', userId: 'ana', name: '', picture: '' })])
    perform(Array.from({ length: 65_536 }, () => ok))
    expect(ledger.refusal(group.lane)).toMatchObject({ code: 'overloaded', retryAfterMs: 500 })
    log.committed(1)
    expect(ledger.refusal(group.lane)).toBeNull()
    ledger.stopWrites()
    expect(ledger.refusal(group.lane)).toMatchObject({ code: 'shutting_down' })
    expect(logCalls).toEqual([])
    log.committed(1)
    expect(logCalls).toEqual(['drained'])
  })
})

describe('a refusal', () => {
  const request = { event: 'send_message', ref: 7, fields: { groupId: 'g', content: '', tempId: 't' } }
  it.each([
    ['of a post names its tempId', new ChatError('not_a_member'), ['send 3 message_error t']],
    [
      'of a post that was not understood is an error',
      new ChatError('bad_request'),
      ['send 3 error bad_request'],
    ],
    [
      'that nobody meant is logged, and shown with nothing of it',
      new TypeError('secret'),
      ['log 2 request "send_message" failed', 'send 3 message_error t'],
    ],
  ])('%s', (_, error, said) => {
    const { performer, toHub } = aPerformer()
    performer.refuse(by('ana'), request as never, error)
    expect(toHub()).toEqual(said)
  })
})

describe('a read without a request', () => {
  const query = { read: 'profiles', userIds: ['ana'] } as const

  it('that fails closes the session that would miss an event', async () => {
    const { perform, reads, toHub } = aPerformer()
    perform([read(query, { session: 5 }, () => [])])
    reads[0]?.reject(new Error('unreadable'))
    await settled()
    expect(toHub()).toContain('close 5 failed')
  })
})
