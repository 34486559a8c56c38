/**
 * Group actor: one group's state and the mail for it, handled strictly in order.
 *
 * Loaded by the first mail. Before a handler may use numbers, a lease covers them: a ceiling in
 * storage above all used numbers, committed before any number under it is assigned. Therefore, a
 * number is never used twice: after a crash, the next number is above the ceiling, after a `gap`
 * event for the numbers in doubt. A clean stop and an eviction return the lease.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { type RequestSpec, type RequestsTo, requests } from '../../../protocol/requests.ts'
import { laneOf } from '../../base/partition.ts'
import { overloaded } from '../../base/refusals.ts'
import { addressOf } from '../../base/seq-bytes.ts'
import type { LoadedGroup, LoggedEvent } from '../../stored/stored-group.ts'
import type { ActorContext, Asked, EventSource, PostChange } from '../actor-context.ts'
import { append, type Effects, read, record } from '../effects.ts'
import type { Attach, GroupMail } from '../mail.ts'
import { Mailbox } from '../mailbox.ts'
import { noSuchGroup } from '../no-such-group.ts'
import { requireContact } from './contact.ts'
import { continueTopic } from './continued-topics.ts'
import { createExisting, createGroup } from './creation.ts'
import { addFile } from './group-files.ts'
import { groupAlarms, groupHandlers } from './group-handlers.ts'
import { type GroupState, loadedState, newState, nextSeq } from './group-state.ts'
import { requireFewInvitations } from './invitations.ts'
import { attach, isStillMember, replay, replayed } from './missed-events.ts'
import { renamed } from './names.ts'
import { isVisible, noContact, requireGroupRoom } from './permissions.ts'
import { postChanged } from './recorded.ts'
import { refuseMail } from './refused-mail.ts'
import { hideTyping, typingEnded } from './typing.ts'

const LEASE_NUMBERS = 1_024
/** Below this number of free numbers a new lease is requested in advance. */
const LEASE_LOW = 512
/** The most numbers that one request uses, plus some for requests that wait for a read. */
const NUMBERS_A_REQUEST = 8

type Phase = 'loading' | 'ready' | 'leasing' | 'abandoned'

export class GroupActor implements EventSource {
  readonly groupId: string
  readonly lane: number
  readonly address: Buffer
  readonly #context: ActorContext
  readonly #mailbox = new Mailbox<GroupMail | Asked>()
  #phase: Phase = 'loading'
  #group: GroupState | null = null
  /** In a direct chat: the users who have blocked the other, also while it is being created. PRV-1 */
  readonly #blockers = new Set<string>()
  /** Numbers up to here may be assigned. */
  #ceiling = 0
  /** A crashed process may have assigned numbers up to here. */
  #takenUpTo = 0
  #leaseAsked = false
  lastOffset = 0
  reading = 0
  lastUsedAt: number

  /** `onFailed` removes the actor, which could not be loaded, so that the next mail loads it again. */
  constructor(groupId: string, context: ActorContext, onFailed: (groupId: string) => void) {
    this.groupId = groupId
    this.lane = laneOf(groupId)
    this.address = addressOf(`g:${groupId}`)
    this.#context = context
    this.lastUsedAt = context.steadyNow()
    context.read({ read: 'group', groupId }, groupId).then(
      (loaded) => this.#onLoaded(loaded),
      (error: unknown) => {
        if (this.#onLoadFailed(error)) onFailed(groupId)
      },
    )
  }

  // A group that records events exists.

  get members(): GroupState['members'] {
    return (this.#group as GroupState).members
  }

  recorded(event: LoggedEvent, offset: number, committedOffset: number): void {
    ;(this.#group as GroupState).recent.push(event, offset, committedOffset)
  }

  published(seq: number): void {
    ;(this.#group as GroupState).publishedSeq = seq
  }

  changed(change: PostChange, offset: number, committedOffset: number): void {
    postChanged(this.#group as GroupState, change, offset, committedOffset, this.reading > 0)
  }

  /** Number of waiting mails. */
  get depth(): number {
    return this.#mailbox.size
  }

  receive(mail: GroupMail | Asked): void {
    this.lastUsedAt = this.#context.steadyNow()
    // Typing is hidden at once: otherwise, waiting mail could end it, unseen by the user it was hidden from.
    if (this.#phase === 'ready' || (this.#phase === 'leasing' && mail.type === 'hide_typing'))
      this.#handle(mail)
    else if (this.#phase === 'abandoned') this.#refuse(mail, new ChatError('internal'))
    else if (!this.#mailbox.push(mail)) this.#refuse(mail, overloaded())
  }

  /** Whether the session has seen everything that members were shown, so that it only needs a subscription. */
  isCaughtUp(mail: Attach): boolean {
    const group = this.#group
    if (this.#phase !== 'ready' || !group || group.continuing.size > 0) return false
    return mail.from === group.publishedSeq && isStillMember(group, mail)
  }

  /** Whether members have been shown everything up to this seq, and nothing after it. */
  isAt(seq: number): boolean {
    return this.#phase === 'ready' && this.#group?.publishedSeq === seq
  }

  /** Storage rejects writes: refuses the mail that waits for a lease. */
  storageFailed(error: ChatError): void {
    if (this.#phase !== 'leasing') return
    for (const mail of this.#mailbox.takeAll()) {
      if ('by' in mail) this.#refuse(mail, error)
      else this.#mailbox.push(mail)
    }
  }

  get abandoned(): boolean {
    return this.#phase === 'abandoned'
  }

  /** The log has refused entries of the group: this state differs from the log, from which the next actor loads. */
  abandon(): void {
    this.#phase = 'abandoned'
    for (const mail of this.#mailbox.takeAll()) this.#refuse(mail, new ChatError('internal'))
  }

  /**
   * Returns the lease, so that the actor can be unloaded. True once nothing is uncommitted: then storage
   * contains the whole state.
   */
  release(): boolean {
    if (this.#phase !== 'ready' || this.#leaseAsked || this.reading > 0) return false
    // A group that was not created returns its first lease.
    const lastUsed = this.#group?.lastSeq ?? this.#takenUpTo
    if (this.#ceiling > lastUsed) {
      this.#setCeiling(lastUsed)
      this.#context.perform([append({ type: 'lease', groupId: this.groupId, ceiling: lastUsed })], this)
      return false
    }
    return this.lastOffset <= this.#context.ledger.committedOf(this.lane)
  }

  #onLoaded(loaded: LoadedGroup): void {
    if (this.abandoned) return
    for (const userId of loaded.blockers) this.#blockers.add(userId)
    if (loaded.group) this.#group = loadedState(loaded.group, loaded, this.#context.rules, this.#blockers)
    this.#setCeiling(loaded.ceiling)
    if (loaded.ceiling > loaded.lastSeq) this.#takenUpTo = loaded.ceiling
    if (this.#group && this.#takenUpTo > 0) this.#lease()
    else this.#proceed()
  }

  /** Returns false if it was abandoned before. */
  #onLoadFailed(error: unknown): boolean {
    this.#context.report(error, 'a group could not be loaded')
    if (this.abandoned) return false
    this.#phase = 'ready'
    for (const mail of this.#mailbox.takeAll()) this.#refuse(mail, ChatError.from(error))
    return true
  }

  /** Requests numbers; mail waits until the lease is committed. */
  #lease(): void {
    this.#phase = 'leasing'
    this.#extend(() => this.#proceed())
  }

  #extend(then: () => void): void {
    this.#leaseAsked = true
    const ceiling = Math.max(this.#group?.lastSeq ?? 0, this.#takenUpTo, this.#ceiling) + LEASE_NUMBERS
    this.#context.ledger.lease(this.groupId, ceiling, () => {
      if (this.abandoned) return
      this.#leaseAsked = false
      this.#setCeiling(ceiling)
      then()
    })
  }

  #setCeiling(ceiling: number): void {
    this.#ceiling = ceiling
    if (this.#group) this.#group.ceiling = ceiling
  }

  #proceed(): void {
    this.#phase = 'ready'
    if (this.#group && this.#takenUpTo > 0) this.#context.perform(this.#nameGap(this.#group), this)
    const mails = this.#mailbox.takeAll()
    // A handler may make the rest wait again; the order is preserved.
    for (const mail of mails) this.receive(mail)
  }

  /** GAP-1: reports the numbers that a crash has left in doubt, before any other event. */
  #nameGap(group: GroupState): Effects {
    const from = group.lastSeq + 1
    const to = this.#takenUpTo
    this.#takenUpTo = 0
    group.lastSeq = to
    const seq = nextSeq(group)
    return [record(seq, this.#context.now(), 'gap', { groupId: group.groupId, seq, from, to })]
  }

  #handle(mail: GroupMail | Asked): void {
    // Before anything that waits or writes, so that a private group answers like a missing one. IDN-7
    if (mail.type === 'request') {
      const { by, request } = mail
      const action = request.event as RequestsTo<'group'>
      if (!isVisible(this.#group, by.userId, action)) return this.#refuse(mail, noSuchGroup())
    }
    const durability = durabilityOf(mail)
    if (durability) {
      const refusal = this.#context.ledger.refusal(this.lane)
      if (refusal) return this.#refuse(mail, refusal)
    }
    if (durability === 'event') {
      const left = this.#ceiling - Math.max(this.#group?.lastSeq ?? 0, this.#takenUpTo)
      if (left < NUMBERS_A_REQUEST && (this.#group || mail.type === 'create')) {
        this.#mailbox.push(mail)
        // Waits for a running extension of the lease; otherwise requests one.
        if (this.#leaseAsked) this.#phase = 'leasing'
        else this.#lease()
        return
      }
      if (left < LEASE_LOW && !this.#leaseAsked && this.#group) {
        this.#extend(() => {
          if (this.#phase === 'leasing') this.#proceed()
        })
      }
    }
    try {
      this.#context.perform(this.#run(mail), this)
    } catch (error) {
      this.#refuse(mail, error)
    }
  }

  #run(mail: GroupMail | Asked): Effects {
    const group = this.#group
    const now = this.#context.now()
    if (group) group.steadyNow = this.lastUsedAt
    switch (mail.type) {
      case 'request': {
        if (!group) throw noSuchGroup()
        const { by, request } = mail
        const handler = groupHandlers[request.event as RequestsTo<'group'>]
        return handler(group, by, request.fields as never, now)
      }
      case 'create':
        return group ? createExisting(group, mail, now) : this.#create(mail)
      case 'attach':
        if (!group) return []
        if (group.continuing.size > 0) {
          group.waiting.push(mail)
          return []
        }
        // A session may have been sent an event that is committed but not shown yet, or its user's joining or
        // leaving may not be shown yet: then it waits for all events recorded by now, not for later ones.
        if (
          group.publishedSeq < group.lastSeq &&
          (Math.max(mail.from, mail.joinedSeq) > group.publishedSeq || mayLeaveUnseen(group, mail))
        ) {
          this.#context.ledger.afterShown(
            this.groupId,
            () => this.#context.perform(attach(group, mail), this),
            () => this.#refuse(mail, new ChatError('internal')),
          )
          return []
        }
        return attach(group, mail)
      case 'add_file':
        if (!group) throw noSuchGroup()
        return addFile(group, mail, now)
      case 'continue': {
        const { front } = mail
        if (group) return continueTopic(group, mail)
        return [{ type: 'continued', front, groupId: this.groupId, how: 'none' }]
      }
      case 'check_member': {
        const { userId } = mail
        if (group?.members.has(userId)) return []
        return [{ type: 'unsubscribe', userId, groupId: this.groupId }]
      }
      case 'replay':
        return group ? replay(group, mail) : [replayed(this.groupId, mail, null)]
      case 'alarm':
        return group ? groupAlarms[mail.what](group) : []
      case 'block':
        if (mail.on) this.#blockers.add(mail.userId)
        else this.#blockers.delete(mail.userId)
        return []
      case 'user_disconnected':
        return group ? typingEnded(group, mail.userId) : []
      case 'hide_typing':
        return group ? hideTyping(group, mail) : []
      case 'renamed':
        return group ? renamed(group, mail) : []
    }
  }

  /** Reads the members' names first. The group may have been created in the meantime. */
  #create(mail: Extract<GroupMail, { type: 'create' }>): Effects {
    const { by, members } = mail
    const { userId } = by
    const directWith = mail.group.kind === 'direct' ? members[0] : undefined
    const query = { read: 'newcomers', userId, userIds: [userId, ...members], directWith } as const
    return [
      read(query, by, (found, now) => {
        if (this.#group) return createExisting(this.#group, mail, now)
        const { profiles, barred, strangers, groupCounts } = found
        if (barred.length > 0 || this.#blockers.size > 0) throw noContact('members') // PRV-1
        const { rules } = this.#context
        if (directWith !== undefined) requireContact(rules.contactPolicy, by, strangers) // PRV-2
        // The creator's own actor has checked the creator's limit.
        for (const count of groupCounts.slice(1)) requireGroupRoom(rules, count, 'members')
        if (strangers && rules.contactPolicy === 'request')
          requireFewInvitations(found.invitationCounts[1] ?? 0, 'members')
        const group = newState(mail.group, this.#ceiling, rules, this.#blockers)
        this.#group = group
        return [
          append({ type: 'group', group: mail.group }),
          ...(this.#takenUpTo > 0 ? this.#nameGap(group) : []),
          ...createGroup(group, mail, profiles, strangers, now),
        ]
      }),
    ]
  }

  #refuse(mail: GroupMail | Asked, error: unknown): void {
    refuseMail(mail, error, this, this.#context)
  }
}

/** What the mail writes: events, which are assigned numbers, or other state; undefined if nothing. */
function durabilityOf(mail: GroupMail | Asked): RequestSpec['durable'] {
  if (mail.type === 'request') {
    const { durable }: RequestSpec = requests[mail.request.event]
    return durable
  }
  if (mail.type === 'create') return 'event'
  return mail.type === 'add_file' ? 'state' : undefined
}

/** Whether the event by which the user left may not be shown yet. One who has rejoined by a shown event left before. */
function mayLeaveUnseen({ members, publishedSeq }: GroupState, { userId, joinedSeq }: Attach): boolean {
  const now = members.get(userId)?.joinedSeq
  return now === undefined || (now !== joinedSeq && now > publishedSeq)
}
