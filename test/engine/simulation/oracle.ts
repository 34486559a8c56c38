/**
 * Oracle: the true state of every group at every moment, which the engine is checked against.
 *
 * It receives each log entry when it is appended, and stores a version of the group for each. Every
 * entry needs a request that asked for it and was allowed to. Every number must be new. After a
 * crash the oracle returns to what was committed, and requires a gap event.
 */
import type { ContactPolicy } from '../../../engine/actors/group-rules.ts'
import type { Clock } from '../../../engine/base/clock.ts'
import { laneOf } from '../../../engine/base/partition.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { Event } from '../../../protocol/events.ts'
import type { File } from '../../../protocol/records.ts'
import type { Request } from '../../../protocol/requests.ts'
import { type Asked, groupAsked, handEffects, type Seen } from './asked.ts'
import { SimulatedBlocks } from './blocks.ts'
import { causes } from './causes.ts'
import { applied, eventOf, type GroupModel, groupOf, seqOf } from './group-model.ts'
import { People } from './people.ts'
import { type Circumstances, isHeir, isOneSided, isShown, sentBefore, verdict } from './rules.ts'
import { Violation } from './violation.ts'

export interface Version {
  readonly group: GroupModel | null
  /** Offset in its lane of the log, in this process; 0 if an earlier process committed it. */
  readonly offset: number
  readonly at: number
}

interface History {
  readonly lane: number
  versions: Version[]
  /** Every durable event, in the order of seq. */
  readonly events: Map<number, Event>
  /** The newest number ever assigned, including lost ones. */
  assigned: number
  /** Whether a gap is due: a process has crashed since the group was last written. */
  crashed: boolean
  /** Offset of the newest entry with a cause. */
  caused: number
  /** The same, or of the last entry that repeats what the one before it says. */
  reached: number
  /** Who left last, and in which role. */
  lastLeft: { readonly userId: string; readonly wasAdmin: boolean } | null
}

export interface OracleOptions {
  readonly durability: 'memory' | 'process' | 'disk'
  readonly fanout: 'immediate' | 'committed'
  readonly editWindowMs: number
  readonly contactPolicy: ContactPolicy
  readonly presenceGraceMs: number
}

export class Oracle {
  readonly options: OracleOptions
  readonly #now: () => number
  readonly #groups = new Map<string, History>()
  #asked: Asked[] = []
  /** Whether any process has crashed yet. */
  #crashed = false
  readonly #committed: number[] = []
  readonly #notified: number[] = []
  /** What the clock showed before and after it was set since the last rest. */
  #clockReadings: number[] = []
  readonly people: People
  readonly blocks = new SimulatedBlocks()

  /** All users. */
  readonly userIds: readonly string[]

  constructor(options: OracleOptions, { now, steadyNow }: Clock, userIds: readonly string[]) {
    this.options = options
    this.userIds = userIds
    this.people = new People(options.presenceGraceMs, steadyNow)
    this.#now = now
  }

  get groupIds(): readonly string[] {
    return [...this.#groups.keys()].filter((groupId) => this.group(groupId) !== null)
  }

  /** All files of all groups. */
  get files(): readonly File[] {
    return this.groupIds.flatMap((groupId) =>
      [...(this.group(groupId)?.files.values() ?? [])].map(({ file }) => file),
    )
  }

  /** The current state of the group. */
  group(groupId: string): GroupModel | null {
    return this.#groups.get(groupId)?.versions.at(-1)?.group ?? null
  }

  /** The durable events with `after < seq <= upTo`. */
  events(groupId: string, after: number, upTo: number): readonly (readonly [number, Event])[] {
    const all = this.#groups.get(groupId)?.events ?? new Map<number, Event>()
    return [...all].filter(([seq]) => seq > after && seq <= upTo)
  }

  event(groupId: string, seq: number): Event | undefined {
    return this.#groups.get(groupId)?.events.get(seq)
  }

  /** The visible versions of the group between request and answer. */
  meanwhile({ from }: Asked, groupId: string, seen: Seen): readonly Version[] {
    const { versions, lane } = this.#history(groupId)
    const committed = this.#committed[lane] ?? 0
    return versions
      .slice(from[seen].get(groupId) ?? 0)
      .filter(({ offset }) => seen !== 'stored' || offset <= committed)
  }

  /** The clock is about to be set, or was. */
  readClock(): void {
    this.#clockReadings.push(this.#now())
  }

  /** What the clock may have shown when a request was handled, of which the group had this version. */
  timesOf({ askedAt }: Asked, { at }: Version): readonly number[] {
    return [at, askedAt, this.#now(), ...this.#clockReadings]
  }

  /** Whether the user was a member after the event with this number. */
  memberAt(groupId: string, seq: number, userId: string): boolean {
    let isMember = false
    for (const [, { event, fields }] of this.events(groupId, 0, seq)) {
      if (event === 'group_created') {
        const { memberCount, members = [] } = fields.group
        // PRV-2: who was approached in a direct chat is listed; once they accept they are a member from here on.
        const isApproached = memberCount < members.length && userId !== fields.group.createdBy
        isMember =
          members.some((member) => member.userId === userId) &&
          (!isApproached || this.#joins(groupId, userId))
      } else if (event === 'user_joined_group' || event === 'user_left_group') {
        if (fields.userId === userId) isMember = event === 'user_joined_group'
      }
    }
    return isMember
  }

  #joins(groupId: string, userId: string): boolean {
    const all = this.events(groupId, 0, Number.POSITIVE_INFINITY)
    return all.some(([, { event, fields }]) => event === 'user_joined_group' && fields.userId === userId)
  }

  /** The committed offset of the lane of the id. */
  committedOf(id: string): number {
    return this.#committed[laneOf(id)] ?? 0
  }

  /** Whether members may have been shown the number (FANOUT). */
  mayBeShown(groupId: string, seq: number): boolean {
    if (this.options.fanout === 'immediate') return true
    const { versions, lane } = this.#history(groupId)
    const committed = this.#committed[lane] ?? 0
    return versions.some(({ group, offset }) => offset <= committed && (group?.lastSeq ?? 0) >= seq)
  }

  /** Whether the other may have seen the one at some time since the last rest. */
  share(one: string, other: string): boolean {
    return [...this.#groups.values()].some(({ versions }) =>
      versions.some(({ group }) => shows(group, one, other)),
    )
  }

  /** Whether the other currently sees the one. */
  shareNow(one: string, other: string): boolean {
    return this.groupIds.some((groupId) => shows(this.group(groupId), one, other))
  }

  /** What a request depends on besides its group; two if blocks have changed since the last rest. */
  get worlds(): readonly Circumstances[] {
    const { editWindowMs, contactPolicy } = this.options
    const mayOpen = (one: string, other: string) => {
      if (contactPolicy === 'closed') return 'no'
      if (contactPolicy !== 'shared' || !this.#mayBeStrangers(one, other)) return 'yes'
      return this.#mayShareGroup(one, other) ? 'perhaps' : 'no'
    }
    const { blocks } = this
    const world = (perhaps: boolean): Circumstances => ({
      editWindowMs,
      mayOpen,
      wasShown: (groupId, fileId) => this.lately(groupId).some((group) => isShown(group, fileId)),
      areApart: (one, other) => {
        const apart = blocks.apart(one, other)
        return apart === 'yes' || (apart === 'perhaps' && perhaps)
      },
    })
    return blocks.unsettled ? [world(false), world(true)] : [world(false)]
  }

  /** Whether the two may have shared no group at some time since the last rest. */
  #mayBeStrangers(one: string, other: string): boolean {
    const both = ({ group }: Version) => areInGroup(group, one, other)
    return ![...this.#groups.values()].some(({ versions }) => versions.every(both))
  }

  #mayShareGroup(one: string, other: string): boolean {
    const both = ({ group }: Version) => areInGroup(group, one, other)
    return [...this.#groups.values()].some(({ versions }) => versions.some(both))
  }

  /** PRV-2: a direct chat begins as the policy requires. */
  #begun(groupId: string, group: GroupModel): void {
    const { contactPolicy } = this.options
    const [one = '', other = group.awaited ?? ''] = group.members.keys()
    const isRight = isOneSided(group)
      ? this.#mayBeStrangers(one, other) && (group.awaited !== null) === (contactPolicy === 'request')
      : this.#mayShareGroup(one, other)
    if (!isRight)
      throw new Violation(`${groupId} of ${one} and ${other} begins against the policy ${contactPolicy}`)
  }

  /** All states of the group since the last rest. */
  lately(groupId: string): readonly GroupModel[] {
    return this.#history(groupId).versions.flatMap(({ group }) => group ?? [])
  }

  /** Records a request that is sent. */
  ask(userId: string, session: number, request: Request): Asked {
    const from = { all: new Map<string, number>(), stored: new Map(), shown: new Map() }
    const { fanout } = this.options
    for (const [groupId, { versions, lane }] of this.#groups) {
      const upTo = (reached = 0) => versions.findLastIndex(({ offset }) => offset <= reached)
      from.all.set(groupId, versions.length - 1)
      from.stored.set(groupId, upTo(this.#committed[lane]))
      from.shown.set(groupId, fanout === 'committed' ? upTo(this.#notified[lane]) : versions.length - 1)
    }
    const asked: Asked = {
      userId,
      session,
      request,
      groupId: groupAsked(request),
      askedAt: this.#now(),
      from,
      effects: noEffects(),
      answer: null,
    }
    this.#asked.push(asked)
    return asked
  }

  /** Records that a front makes a request again, of which it is not known whether it was carried out. */
  again(asked: Asked): Asked {
    const again = { ...asked, effects: noEffects() }
    this.#asked.push(again)
    return again
  }

  /** A request that an engine which has crashed may have carried out. It waits in a front. */
  afterCrash(asked: Asked): Asked {
    const from = { all: new Map(), stored: new Map(), shown: new Map() }
    return { ...asked, from, effects: noEffects() }
  }

  /** Whether everything that the request caused is committed. */
  isStored({ groupId, effects }: Asked): boolean {
    if (this.options.durability === 'memory' || groupId === null) return true
    return effects.offset <= (this.#committed[this.#history(groupId).lane] ?? 0)
  }

  /** Another request that may also have caused the effects assigned to this one. */
  giveEffectsTo({ effects }: Asked): Asked | undefined {
    return effects.others.find(
      ({ effects: theirs, answer }) =>
        ![...theirs.kinds].some((kind) => effects.kinds.has(kind)) && answer?.event !== 'error',
    )
  }

  /** A request that may have had no effect, to which effects were assigned that this one may have caused. */
  takeEffectsFrom(asked: Asked): Asked | undefined {
    const isOpen = ({ answer }: Asked) =>
      answer === null || (answer.event === 'error' && answer.fields.code === 'storage_unavailable')
    return this.#asked.find((one) => isOpen(one) && one.effects.others.includes(asked))
  }

  /** At rest: no request is pending, so past versions are no longer possible. */
  quiet(): void {
    this.#asked = []
    this.#clockReadings = []
    this.people.quiet()
    this.blocks.quiet()
    for (const history of this.#groups.values()) history.versions = history.versions.slice(-1)
  }

  appended(lane: number, offset: number, entry: LogEntry): void {
    this.people.appended(offset, entry, this.#asked)
    this.blocks.appended(offset, entry, this.#asked)
    const groupId = groupOf(entry)
    if (groupId === null || entry.type === 'lease') return
    const history = this.#history(groupId)
    if (history.lane !== lane) throw new Violation(`group ${groupId} was written to lane ${lane}`)
    const before = history.versions.at(-1)?.group ?? null
    const group = applied(before, entry)
    const event = eventOf(entry)
    if (event) this.#numbered(groupId, history, before, entry, event)
    if (group === before) {
      if (history.reached === offset - 1) history.reached = offset
      return
    }
    this.#caused(groupId, history, before, entry, event, offset)
    if (event?.event === 'group_created' && group?.kind === 'direct') this.#begun(groupId, group)
    history.versions.push({ group, offset, at: this.#now() })
    if (!event) return
    history.events.set(seqOf(event), event)
    history.lastLeft =
      event.event === 'user_left_group'
        ? {
            userId: event.fields.userId,
            wasAdmin: before?.members.get(event.fields.userId)?.role === 'admin',
          }
        : null
  }

  committed(lane: number, offset: number): void {
    this.#committed[lane] = offset
  }

  notified(lane: number, offset: number): void {
    this.#notified[lane] = offset
  }

  /** Drops what was not committed; after a clean stop there is none. */
  crash(clean: boolean): void {
    this.#asked = []
    this.#crashed ||= !clean
    for (const history of this.#groups.values()) {
      const committed = this.#committed[history.lane] ?? 0
      const group = history.versions.findLast(({ offset }) => offset <= committed)?.group ?? null
      const lastSeq = group?.lastSeq ?? 0
      for (const seq of history.events.keys()) if (seq > lastSeq) history.events.delete(seq)
      history.versions = [{ group, offset: 0, at: this.#now() }]
      history.caused = 0
      history.reached = 0
      history.lastLeft = null
      history.crashed ||= !clean
    }
    this.people.crash((userId) => this.committedOf(userId))
    this.blocks.crash((userId) => this.committedOf(userId))
    this.#committed.length = 0
    this.#notified.length = 0
  }

  /** IDN-5, GAP-1: a number is never used twice, and a gap event names those that a crash has lost. */
  #numbered(
    groupId: string,
    history: History,
    before: GroupModel | null,
    entry: LogEntry,
    event: Event,
  ): void {
    const seq = seqOf(event)
    const last = before?.lastSeq ?? 0
    const where = `${groupId}:${seq} (${event.event})`
    if ('seq' in entry && entry.seq !== seq) throw new Violation(`${where} is stored as ${entry.seq}`)
    if (seq <= history.assigned) throw new Violation(`${where} was used before`)
    if (event.event === 'gap') {
      const { from, to } = event.fields
      if (!history.crashed) throw new Violation(`${where} names a gap without a crash`)
      history.crashed = false
      if (from !== last + 1) throw new Violation(`${where} begins at ${from}, not after ${last}`)
      if (to < history.assigned)
        throw new Violation(`${where} ends at ${to} and leaves out ${history.assigned}`)
      if (seq !== to + 1) throw new Violation(`${where} does not follow ${to}`)
    } else if (seq !== last + 1) throw new Violation(`${where} does not follow ${last}`)
    history.assigned = seq
  }

  #caused(
    groupId: string,
    history: History,
    before: GroupModel | null,
    entry: LogEntry,
    event: Event | null,
    offset: number,
  ): void {
    // The first event of a group names its creator.
    if (event?.event === 'gap' || entry.type === 'group') return
    if (event?.event === 'role_changed' && isHeir(before, history.lastLeft, event.fields)) return
    if (event?.event === 'new_message' && before) {
      const { senderId, tempId = '', messageId } = event.fields.message
      const first = sentBefore(before, senderId, tempId)
      if (first) throw new Violation(`${messageId} was sent before, as ${first.messageId}`)
    }
    const kind = event?.event ?? entry.type
    // Entries of a direct chat before its first event are part of its creation.
    const isMade = event?.event !== 'group_created' && (before?.kind !== 'direct' || before.members.size > 0)
    const follows = history.reached === offset - 1
    const { worlds } = this
    const able = this.#asked.filter(
      (asked) =>
        (asked.groupId ?? groupId) === groupId &&
        !asked.effects.kinds.has(kind) &&
        causes(asked, before, entry, event, worlds),
    )
    // Prefer the request that caused the previous entry, then one that is allowed to.
    const cause =
      able.find(({ effects }) => effects.kinds.size > 0 && effects.offset === history.caused && follows) ??
      able.find(
        (asked) =>
          asked.effects.kinds.size === 0 && !asked.answer && this.#mayNow(asked, isMade ? before : null),
      ) ??
      able.find(({ effects, answer }) => effects.kinds.size > 0 && !answer) ??
      this.#reassigned(able)
    if (!cause) {
      const who = able.length > 0 ? 'nobody who asked for it was allowed to' : 'nobody asked for it'
      throw new Violation(`${kind} of ${groupId}: ${who} ${JSON.stringify(event?.fields ?? entry)}`)
    }
    if (cause.effects.kinds.size === 0) cause.effects.others = able.filter((other) => other !== cause)
    cause.effects.kinds.add(kind)
    cause.effects.offset = offset
    cause.effects.seq = event ? seqOf(event) : cause.effects.seq
    history.caused = offset
    history.reached = offset
  }

  /** One of these requests, to which an earlier entry belongs that was assigned to another possible cause. */
  #reassigned(able: readonly Asked[]): Asked | undefined {
    for (const asked of able) {
      const from = this.takeEffectsFrom(asked)
      if (!from) continue
      handEffects(from, asked)
      return asked
    }
    return undefined
  }

  #mayNow({ userId, request }: Asked, group: GroupModel | null): boolean {
    const { route } = { route: request.event.startsWith('upload') }
    if (route) return group?.members.has(userId) ?? false
    return this.worlds.some((world) => {
      const { is } = verdict(group, userId, request, this.#now(), world)
      return is === 'effect' || is === 'either'
    })
  }

  #history(groupId: string): History {
    const known = this.#groups.get(groupId)
    if (known) return known
    const made: History = {
      lane: laneOf(groupId),
      versions: [{ group: null, offset: 0, at: this.#now() }],
      events: new Map(),
      assigned: 0,
      crashed: this.#crashed,
      caused: 0,
      reached: 0,
      lastLeft: null,
    }
    this.#groups.set(groupId, made)
    return made
  }
}

function noEffects(): Asked['effects'] {
  return { kinds: new Set(), offset: 0, seq: 0, others: [] }
}

/** Whether the group shows the one to the other. A user who has not accepted is not shown. PRV-2 */
function shows(group: GroupModel | null, one: string, other: string): boolean {
  if (!group || group.approached.has(one)) return false
  return group.members.has(one) && group.members.has(other)
}

function areInGroup(group: GroupModel | null, one: string, other: string): boolean {
  return group?.kind === 'group' && group.members.has(one) && group.members.has(other)
}
