import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import { joinGroup } from '../../../engine/actors/group/entering.ts'
import { type GroupState, loadedState } from '../../../engine/actors/group/group-state.ts'
import { leaveGroup } from '../../../engine/actors/group/leaving.ts'
import { getReceipts } from '../../../engine/actors/group/receipt-lists.ts'
import { messageDelivered, messageRead } from '../../../engine/actors/group/receipts.ts'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import { markUnread } from '../../../engine/actors/group/unread-mark.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { StoredGroup } from '../../../engine/stored/stored-group.ts'
import { by } from '../../support/groups.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aStore } from '../../support/store.ts'

const users = ['ana', 'bruno', 'clara'] as const
const MINUTE_MS = 60_000

const step = fc.oneof(
  fc.record({ do: fc.constant('post' as const), user: fc.constantFrom(...users) }),
  fc.record({ do: fc.constant('event' as const) }),
  fc.record({
    do: fc.constantFrom('delivered' as const, 'read' as const),
    user: fc.constantFrom(...users),
    /** Position in the group's numbers, from the end. */
    back: fc.array(fc.nat({ max: 25 }), { minLength: 1, maxLength: 8 }),
    passes: fc.constantFrom(0, 1_000, 2 * MINUTE_MS),
  }),
  fc.record({
    do: fc.constantFrom('up to' as const, 'mark unread' as const),
    user: fc.constantFrom(...users),
    seq: fc.nat({ max: 30 }),
  }),
  fc.record({ do: fc.constantFrom('leave' as const, 'join' as const) }),
  fc.record({ do: fc.constant('evict' as const), retained: fc.integer({ min: 1, max: 10 }) }),
)

/** A group with a store: the effects of its handlers are applied at once. */
class SmallGroup {
  readonly store = aStore()
  readonly info: StoredGroup = { ...aGroupEntry('g').group, visibility: 'open' }
  group: GroupState
  /** The last answer. */
  answered: unknown

  constructor() {
    this.store.writer.commit([
      aGroupEntry('g'),
      ...users.map((userId) => aMemberEntry('g', userId)),
      anEvent(1),
    ])
    this.group = this.#load(256)
  }

  post(senderId: string): number {
    const entry = aPostEntry(this.group.lastSeq + 1, { senderId, senderName: senderId })
    this.#add(entry, { seq: entry.message.seq, message: entry.message })
    return entry.message.seq
  }

  event(): void {
    const entry = anEvent(this.group.lastSeq + 1)
    this.#add(entry, entry)
  }

  /** Unloads the group, and loads it with the newest events only. */
  evict(retained: number): void {
    this.group = this.#load(retained)
  }

  perform(effects: Effects): void {
    for (const effect of effects) {
      if (effect.type === 'append') this.store.writer.commit([effect.entry])
      else if (effect.type === 'answer') this.answered = effect.event.fields
      else if (effect.type === 'read') {
        this.perform(effect.then(this.store.reader.run(effect.query) as never, 0))
      } else if (effect.type === 'record') {
        this.#add(anEvent(effect.seq), anEvent(effect.seq))
      }
    }
  }

  #add(entry: LogEntry, logged: Parameters<RecentEvents['push']>[0]): void {
    this.store.writer.commit([entry])
    this.group.lastSeq = logged.seq
    this.group.publishedSeq = logged.seq
    this.group.recent.push(logged, 0, 0)
  }

  #load(retained: number): GroupState {
    const loaded = this.store.reader.run({ read: 'group', groupId: 'g' })
    const complete = loaded.recent.length <= retained
    return {
      ...loadedState(
        this.info,
        loaded,
        { editWindowMs: 0, maxGroupsPerUser: 0, contactPolicy: 'open' },
        new Set(),
      ),
      recent: new RecentEvents(loaded.recent.slice(-retained), complete),
      ceiling: 1_000,
    }
  }
}

function anEvent(seq: number) {
  return { type: 'event', groupId: 'g', seq, code: 71, at: 0, frame: Buffer.of(0) } as const
}

it('receipts equal those of a plain list, in memory, in the log and across both', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
      const small = new SmallGroup()
      const posts = new Map<number, string>()
      const given = { delivered: new Set<string>(), read: new Set<string>() }
      // Clara leaves and rejoins; her receipts stay.
      let claraSince = 1
      const isIn = (user: string) => user !== 'clara' || claraSince > 0
      const owes = (user: string, seq: number) => seq > (user === 'clara' ? claraSince : 1)
      let now = 1_700_000_000_000
      for (const one of steps) {
        if ('user' in one && !isIn(one.user)) continue
        if (one.do === 'post') posts.set(small.post(one.user), one.user)
        else if (one.do === 'leave' && isIn('clara')) {
          small.perform(leaveGroup(small.group, by('clara'), { groupId: 'g' }, now))
          claraSince = 0
        } else if (one.do === 'join' && !isIn('clara')) {
          small.perform(joinGroup(small.group, by('clara'), { groupId: 'g' }, now))
          claraSince = small.group.lastSeq
        } else if (one.do === 'leave' || one.do === 'join') continue
        else if (one.do === 'up to') {
          const upTo = Math.min(one.seq, small.group.lastSeq)
          const fields = { messageIds: [], groupId: 'g', upTo }
          small.perform(messageRead(small.group, by(one.user), fields, now))
          for (let seq = 1; seq <= upTo; seq++) {
            if (!owes(one.user, seq)) continue
            given.delivered.add(`${one.user} ${seq}`)
            given.read.add(`${one.user} ${seq}`)
          }
        } else if (one.do === 'mark unread') {
          const seq = Math.min(one.seq, small.group.lastSeq)
          small.perform(markUnread(small.group, by(one.user), { groupId: 'g', seq }, now))
        } else if (one.do === 'event') small.event()
        else if (one.do === 'evict') small.evict(one.retained)
        else if (one.do === 'delivered' || one.do === 'read') {
          now += one.passes
          const seqs = one.back.map((back) => Math.max(1, small.group.lastSeq - back))
          const messageIds = seqs.map((seq) => `g:${seq}`)
          const { group } = small
          small.perform(
            one.do === 'read'
              ? messageRead(group, by(one.user), { messageIds, groupId: 'g' }, now)
              : messageDelivered(group, by(one.user), { messageIds }, now),
          )
          for (const seq of seqs) {
            if (!owes(one.user, seq)) continue
            given.delivered.add(`${one.user} ${seq}`)
            if (one.do === 'read') given.read.add(`${one.user} ${seq}`)
          }
        }
      }
      for (const [seq, sender] of posts) {
        small.perform(getReceipts(small.group, by('ana'), { messageId: `g:${seq}` }, now))
        const others = users.filter((userId) => userId !== sender)
        expect(small.answered, `${seq}`).toMatchObject({
          deliveredCount: others.filter((userId) => given.delivered.has(`${userId} ${seq}`)).length,
          readCount: others.filter((userId) => given.read.has(`${userId} ${seq}`)).length,
        })
      }
    }),
    { seed: 3, numRuns: 100 },
  )
})
