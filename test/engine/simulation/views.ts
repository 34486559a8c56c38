/**
 * Views: what one connection of a device has received of each group, which must be exactly the events of the
 * log, each once and in order: live above the number in `connected`, by `resume` below it (ORD-1, CUP-1).
 *
 * A connection to a front stays while engines crash. After the gap it receives a group if its user is a member
 * without what the crash took (RES-1, GAP-1).
 */
import type { Event } from '../../../protocol/events.ts'
import type { GroupSummary } from '../../../protocol/records.ts'
import type { Disk } from './disk.ts'
import type { Front } from './front.ts'
import { groupIdOf, seqOf } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import { Violation } from './violation.ts'

/** What a session has received of a group. */
interface View {
  /** Everything above is received live. */
  baseline: number
  /** The newest number received live, or the baseline. */
  live: number
  /** The user has left; nothing more arrives until they rejoin. */
  ended: boolean
  /** `connected` has listed it. */
  readonly listed: boolean
  /** The replay that `resume` asked for, up to the baseline, and its progress. */
  replay: { at: number; phase: 'asked' | 'refused' | 'done' } | null
}

/** Groups, each with the newest number that was received. */
type Groups = readonly (readonly [groupId: string, lastSeq: number])[]

/** Whose views they are. */
interface Owner {
  readonly userId: string
  readonly front: Front | null
  toString(): string
}

export class Views {
  readonly #owner: Owner
  readonly #oracle: Oracle
  readonly #disk: Disk
  readonly #byGroup = new Map<string, View>()

  constructor(owner: Owner, oracle: Oracle, disk: Disk) {
    this.#owner = owner
    this.#oracle = oracle
    this.#disk = disk
  }

  /** The groups whose events are received. */
  get groupIds(): readonly string[] {
    return [...this.#byGroup].filter(([, { ended }]) => !ended).map(([groupId]) => groupId)
  }

  /** Up to where everything was received. */
  lastSeqs(): Groups {
    return [...this.#byGroup].map(([groupId, { live, replay }]) => {
      const isReplaying = replay?.phase === 'asked' || replay?.phase === 'refused'
      return [groupId, isReplaying ? replay.at : live]
    })
  }

  clear(): void {
    this.#byGroup.clear()
  }

  connected(groups: readonly GroupSummary[]): void {
    for (const { group, lastSeq } of groups) {
      const view = { baseline: lastSeq, live: lastSeq, ended: false, listed: true, replay: null }
      this.#byGroup.set(group.groupId, view)
    }
  }

  /** After a crash: no event says that a group has never existed. */
  endLost(): void {
    for (const [groupId, view] of this.#byGroup) if (!this.#oracle.group(groupId)) view.ended = true
  }

  /** What a `resume` is to request, of groups of which earlier connections had received so much. */
  missed(lastSeqs: ReadonlyMap<string, number>): Groups {
    return [...this.#byGroup].flatMap(([groupId, { replay, listed }]) => {
      const last = replay ? replay.at : lastSeqs.get(groupId)
      const isAsked = replay?.phase === 'asked' || replay?.phase === 'done'
      if (last === undefined || isAsked || (this.#owner.front && !listed)) return []
      return [[groupId, last] as const]
    })
  }

  resuming(groups: Groups): void {
    for (const [groupId, lastSeq] of groups) {
      const view = this.#byGroup.get(groupId)
      if (view) view.replay = { at: lastSeq, phase: 'asked' }
    }
  }

  /** The answer to a `resume`. @throws Violation */
  resumed(groups: Groups, answer: Event): void {
    for (const [groupId] of groups) {
      const view = this.#byGroup.get(groupId)
      const outcome = answer.event === 'resumed' ? answer.fields.groups.find(([id]) => id === groupId) : null
      if (!view?.replay) continue
      if (answer.event !== 'resumed') view.replay.phase = 'refused'
      if (!outcome) continue
      if (!outcome[2]) {
        if (this.#disk.failedReads === 0) throw this.#wrong(`did not get all of ${groupId}`)
        // It reads the history in pages instead.
        view.replay = { at: outcome[1], phase: 'done' }
        continue
      }
      this.#nothingBetween(groupId, view.replay.at, outcome[1])
      view.replay.phase = 'done'
    }
  }

  /** A durable event. Returns whether the group is received from it on, or not any more. @throws Violation */
  received(event: Event): 'begins' | 'continues' | 'ends' {
    const seq = seqOf(event)
    const groupId = groupIdOf(event)
    const known = this.#byGroup.get(groupId)
    const where = `${groupId}:${seq} (${event.event})`
    const real = this.#oracle.event(groupId, seq)
    if (real?.event !== event.event) throw this.#wrong(`received ${where}, which is not in the log`)
    if (!this.#oracle.mayBeShown(groupId, seq)) throw this.#wrong(`received ${where} before it is committed`)
    if (known?.ended && this.#isBack(known, event)) known.ended = false
    if (!known || (known.ended && seq > known.live)) {
      if (!this.#joins(event)) throw this.#wrong(`received ${where}, of a group it is not in`)
      // A replay in progress continues, up to where the user rejoined.
      const replay = known?.replay ?? null
      this.#byGroup.set(groupId, { baseline: seq - 1, live: seq, ended: false, listed: false, replay })
      return 'begins'
    }
    if (seq > known.baseline) {
      if (seq <= known.live) throw this.#wrong(`received ${where} after ${known.live}`)
      this.#nothingBetween(groupId, known.live, seq - 1)
      known.live = seq
      known.ended = this.#ends(event)
      return known.ended ? 'ends' : 'continues'
    }
    const { replay } = known
    if (replay?.phase !== 'asked') throw this.#wrong(`received ${where} again`)
    if (seq <= replay.at) throw this.#wrong(`received a replay of ${where} after ${replay.at}`)
    this.#nothingBetween(groupId, replay.at, seq - 1)
    replay.at = seq
    return 'continues'
  }

  /** At rest: everything was received. @throws Violation */
  complete(): void {
    for (const groupId of this.#oracle.groupIds) {
      const group = this.#oracle.group(groupId)
      const view = this.#byGroup.get(groupId)
      const isMember = group?.members.has(this.#owner.userId) ?? false
      if (isMember && (!view || view.ended)) throw this.#wrong(`does not receive ${groupId}`)
      if (!isMember && view && !view.ended) throw this.#wrong(`was not notified that it left ${groupId}`)
      if (!isMember || !view) continue
      this.#nothingBetween(groupId, view.live, group?.lastSeq ?? 0)
      if (view.live > (group?.lastSeq ?? 0)) throw this.#wrong(`got no gap of ${groupId}`)
    }
  }

  /** GAP-1: whether a crash took the event by which the user left. */
  #isBack({ live }: View, event: Event): boolean {
    if (event.event !== 'gap' || !this.#owner.front) return false
    const { from, to } = event.fields
    return from <= live && live <= to && this.#isMemberAt(event)
  }

  /** Whether nothing of the group is received after the event. */
  #ends(event: Event): boolean {
    if (event.event === 'user_left_group') return event.fields.userId === this.#owner.userId
    // GAP-1: a crash took the event by which the user joined.
    return event.event === 'gap' && this.#owner.front !== null && !this.#isMemberAt(event)
  }

  #isMemberAt({ fields }: Extract<Event, { event: 'gap' }>): boolean {
    return this.#oracle.memberAt(fields.groupId, fields.seq, this.#owner.userId)
  }

  #joins(event: Event): boolean {
    const { userId } = this.#owner
    if (event.event === 'user_joined_group') return event.fields.userId === userId
    if (event.event !== 'group_created') return false
    return (event.fields.group.members ?? []).some((member) => member.userId === userId)
  }

  #nothingBetween(groupId: string, after: number, upTo: number): void {
    const [missed] = this.#oracle.events(groupId, after, upTo)
    if (missed) throw this.#wrong(`did not get ${groupId}:${missed[0]} (${missed[1].event})`)
  }

  #wrong(what: string): Violation {
    return new Violation(`${this.#owner} ${what}`)
  }
}
