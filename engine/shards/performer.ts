/**
 * Performer: the interface of a shard for its actors, and the execution of their effects.
 *
 * Effects are executed in order. The `Ledger` handles what is written and what waits for a commit.
 * Everything else is sent at once.
 */
import { encode } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Request } from '../../protocol/requests.ts'
import type { ActorContext, EventSource } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { Effect, Effects, FileEffect, ReadEffect } from '../actors/effects.ts'
import type { FileDepths, Files } from '../actors/file-calls.ts'
import type { Greeting } from '../actors/greeting.ts'
import type { GroupRules } from '../actors/group-rules.ts'
import type { AttachAll, Mail, MailToGroups } from '../actors/mail.ts'
import type { Presence } from '../actors/presence.ts'
import type { Clock } from '../base/clock.ts'
import { laneOf, shardOf } from '../base/partition.ts'
import { addressOf, seqBytes, withSeq } from '../base/seq-bytes.ts'
import type { SearchReader, Views } from '../log/views.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { Standing } from '../stored/stored-user.ts'
import type { BatchWriter } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import { ActorReads } from './actor-reads.ts'
import type { Alarms } from './alarms.ts'
import { Announcements } from './announcements.ts'
import { type Blocks, statuses, ToHub } from './hub-records.ts'
import type { Ledger, LedgerDeps, LedgerDepths, LedgerOptions } from './ledger.ts'
import { MemberMail } from './member-mail.ts'
import type { PostWatcher, WatchPosts } from './post-watcher.ts'
import type { PresenceDirectory } from './presence-directory.ts'
import type { Replies } from './replies.ts'

export interface PerformerOptions extends LedgerOptions {
  /** How long after the end of a user's last session other users are notified. */
  readonly presenceGraceMs: number
  /** Number of shards. */
  readonly shards: number
  readonly greeting: Greeting
  readonly rules: GroupRules
}

/** Functions that a shard gets from outside. */
export interface ShardDeps extends LedgerDeps, Clock {
  readonly views: Views
  readonly search: SearchReader
  /** Calls `then` after that time, unless the returned function was called before. */
  readonly after: (delayMs: number, then: () => void) => () => void
  /** A new id, ordered by time. */
  readonly newId: () => string
  /** The file store. */
  readonly files: Files
  /** Creates what is notified of posts, if anything is. */
  readonly watchPosts?: WatchPosts | undefined
}

/** Objects that the performer shares with its shard. */
export interface ShardParts {
  readonly ledger: Ledger
  readonly replies: Replies
  readonly alarms: Alarms
  readonly directory: PresenceDirectory
}

type ContinuedEffect = Extract<Effect, { type: 'continued' }>

/** Groups of one record; the length of their seqs has 16 bits. */
const SUBSCRIBED_AT_ONCE = 1_000

export class Performer implements ActorContext {
  readonly greeting: Greeting
  readonly rules: GroupRules
  readonly now: () => number
  readonly steadyNow: () => number
  readonly newId: () => string
  readonly #options: PerformerOptions
  readonly #reads: ActorReads
  readonly #toHub: BatchWriter
  readonly ledger: Ledger
  readonly #replies: Replies
  readonly #postWatcher: PostWatcher | undefined
  readonly #files: Files
  readonly presenceGraceMs: number
  readonly #alarms: Alarms
  readonly #directory: PresenceDirectory
  readonly #memberMail: MemberMail
  /** Set by the shard: is notified of topics that have continued in a front. */
  onContinued: (front: number, groupId: string, how: ContinuedEffect['how']) => void = () => {}
  readonly #announcements: Announcements

  constructor(options: PerformerOptions, deps: ShardDeps, parts: ShardParts) {
    this.#options = options
    this.#reads = new ActorReads({ ...deps, ...parts })
    this.greeting = options.greeting
    this.rules = options.rules
    this.now = deps.now
    this.steadyNow = deps.steadyNow
    this.newId = deps.newId
    this.#toHub = deps.toHub
    this.#alarms = parts.alarms
    this.#directory = parts.directory
    this.presenceGraceMs = options.presenceGraceMs
    this.#files = deps.files
    this.ledger = parts.ledger
    this.#replies = parts.replies
    this.#postWatcher = deps.watchPosts?.({ ...deps, ...parts })
    this.#announcements = new Announcements(deps.toHub, parts.directory)
    this.#memberMail = new MemberMail({
      isPresent: (userId) => {
        const { connected, status } = this.#directory.presenceOf(userId)
        return connected || status !== 'offline'
      },
      tell: (mail) => this.#sendMail(mail),
      afterCommit: (owner, task, drop) => this.ledger.afterCommit(owner, task, drop),
    })
  }

  /** Counts of log entries and messages since the start, of items that wait for a commit, and of uploads. */
  get depths(): LedgerDepths & FileDepths {
    return { ...this.ledger.depths, ...this.#files.depths }
  }

  read<N extends ReadName>(query: ReadQuery<N>, userId: string): Promise<Reads[N]['result']> {
    return this.#reads.read(query, userId)
  }

  report(error: unknown, what: string): void {
    this.#replies.report(error, what)
  }

  refuse(by: Caller, request: Request, error: unknown): void {
    const refusal = ChatError.from(error)
    if (refusal !== error) this.report(error, `request "${request.event}" failed`)
    // A decoded `send_message` is refused by `message_error`, with its tempId.
    const tempId =
      request.event === 'send_message' && refusal.code !== 'bad_request' ? request.fields.tempId : undefined
    this.#replies.refuse(by, refusal, tempId)
  }

  presenceOf(userId: string): Presence {
    return this.#directory.presenceOf(userId)
  }

  perform(effects: Effects, group: EventSource | null): void {
    for (const effect of effects) this.#execute(effect, group)
  }

  #execute(effect: Effect, group: EventSource | null): void {
    switch (effect.type) {
      case 'append':
        // Each presence entry replaces the one before: while storage fails they are not queued.
        if (effect.entry.type === 'presence' && this.ledger.isFailing(laneOf(effect.entry.userId))) return
        return this.ledger.append(effect.entry, group)
      case 'record':
        this.ledger.record(effect, group as EventSource)
        if (this.#postWatcher && effect.event.name === 'new_message') {
          this.#postWatcher.posted(effect.event.fields.message, group as EventSource)
        }
        return
      case 'change':
        this.ledger.change(effect, group as EventSource)
        this.#postWatcher?.changed(effect.before, effect.message, group as EventSource)
        return
      case 'answer':
        return this.#replies.send(effect.to.session, encode(effect.event, effect.to.ref))
      case 'answer_committed':
        return this.ledger.answer(effect.to, encode(effect.event, effect.to.ref), effect.tempId, group)
      case 'send':
        return this.#replies.send(effect.session, encode(effect.event, 0))
      case 'send_frame': {
        const { session, groupId, seq, frame, replayed } = effect
        const kind = replayed ? ToHub.replayed : ToHub.missed
        return this.#toHub.push(kind, session, addressAt(groupId, seq), frame)
      }
      case 'show_front': {
        const { front, groupId, seq, frame } = effect
        return this.#toHub.push(ToHub.showFront, front, addressAt(groupId, seq), frame)
      }
      case 'change_subscribers': {
        const { front, groupId, change } = effect
        return this.#toHub.push(ToHub.changeSubscribers, front, topicOf(groupId), pack(change))
      }
      case 'continued':
        return this.continued(effect)
      case 'reopened':
        return this.#toHub.push(ToHub.reopened, effect.session)
      case 'send_user': {
        const { userId, event, exceptSession = 0 } = effect
        // Most users have one device: then no other session needs the event.
        if (exceptSession !== 0 && this.#directory.hasOnly(userId, exceptSession)) return
        return this.#toHub.push(ToHub.sendUser, exceptSession, Buffer.from(userId), encode(event, 0))
      }
      case 'publish':
        return this.#announcements.publish(effect)
      case 'with_presence':
        return this.perform(
          effect.then((userId) => this.presenceOf(userId)),
          group,
        )
      case 'presence':
        return this.#toHub.push(ToHub.presence, statuses.indexOf(effect.status), Buffer.from(effect.userId))
      case 'blocks': {
        const { userId, blocked, isBlocked } = effect
        const blocks: Blocks = { userId, blocked, isBlocked }
        return this.#toHub.push(ToHub.blocks, 0, undefined, pack(blocks))
      }
      case 'full':
        return this.#toHub.push(ToHub.full, effect.isFull ? 1 : 0, undefined, Buffer.from(effect.userId))
      case 'watch':
        return this.#directory.watch(effect.userId, effect.groupId, effect.on)
      case 'wake_group':
        return this.#alarms.set({ to: 'group', id: effect.groupId, what: effect.what }, effect.afterMs)
      case 'wake_user':
        return this.#alarms.set({ to: 'user', id: effect.userId, what: effect.what }, effect.afterMs)
      case 'subscribe':
        return this.subscribe(effect.session, [effect.groupId], [effect.after])
      case 'unsubscribe':
        // They still receive the event that ended it. If that event is refused, the membership continues.
        return this.ledger.afterShown(
          effect.groupId,
          () => this.#toHub.push(ToHub.unsubscribe, 0, topicOf(effect.groupId), Buffer.from(effect.userId)),
          () => {},
        )
      case 'close':
        return this.#toHub.push(ToHub.close, effect.session, Buffer.from(effect.reason))
      case 'tell_group': {
        const { groupId: id, mail, againFor } = effect
        this.#sendMail({ to: 'group', id, mail })
        if (againFor === undefined) return
        return this.ledger.afterCommit(
          againFor,
          () => this.#sendMail({ to: 'group', id, mail }),
          () => {},
        )
      }
      case 'attach':
        return this.#attach(effect.mail)
      case 'tell_user':
        if (effect.ifConnected && !this.presenceOf(effect.userId).connected) return
        return this.#sendMail({ to: 'user', id: effect.userId, mail: effect.mail, ifLoaded: effect.ifLoaded })
      case 'tell_members':
        return this.#memberMail.tell(effect.owner, effect.userIds, effect.mail)
      case 'when_drained': {
        const mail: Mail = { to: 'group', id: effect.groupId, mail: effect.mail }
        return this.#toHub.push(ToHub.whenDrained, effect.session, undefined, pack(mail))
      }
      case 'read':
        return this.#read(effect, group)
      case 'file':
        return this.#file(effect)
    }
  }

  #read({ query, then, to }: ReadEffect, group: EventSource | null): void {
    if (group) group.reading += 1
    this.read(query, readerOf(to))
      .finally(() => {
        if (group) group.reading -= 1
      })
      .then((result) => {
        // The log has refused entries on which the continuation is based.
        if (group?.abandoned) throw new ChatError('internal')
        this.perform(then(result as never, this.now()), group)
      })
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) this.report(error, `read "${query.read}" failed`)
        if ('ref' in to) this.#replies.refuse(to, ChatError.from(error))
        else if ('front' in to && group) {
          const how = { laterFrom: to.from }
          this.continued({ type: 'continued', front: to.front, groupId: group.groupId, how })
        }
        // The session would miss events: it reconnects and resumes.
        else if ('session' in to)
          this.perform([{ type: 'close', session: to.session, reason: 'failed' }], null)
      })
  }

  #file({ call, then, to }: FileEffect): void {
    this.#files
      .run(call)
      .then((result) => this.perform(then(result as never, this.now()), null))
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) this.report(error, `files "${call.call}" failed`)
        this.#replies.refuse(to, ChatError.from(error))
      })
  }

  /** From here on, the session receives the events of each of these groups after its seq. */
  subscribe(session: number, groupIds: readonly string[], after: readonly number[]): void {
    for (let from = 0; from < groupIds.length; from += SUBSCRIBED_AT_ONCE) {
      const upTo = from + SUBSCRIBED_AT_ONCE
      const ids = Buffer.from(groupIds.slice(from, upTo).join('\n'), 'latin1')
      this.#toHub.push(ToHub.subscribe, session, seqBytes(after.slice(from, upTo)), ids)
    }
  }

  /** The topic of a group has continued in a front, or will be continued later. */
  continued({ front, groupId, how }: ContinuedEffect): void {
    this.onContinued(front, groupId, how)
    if (typeof how === 'string') this.#toHub.push(ToHub.continued, front, topicOf(groupId), pack(how))
  }

  /** Sends one mail to each shard that owns some of the groups. */
  #attach({ groups, ...mail }: AttachAll): void {
    const byShard: Standing[][] = Array.from({ length: this.#options.shards }, () => [])
    for (const standing of groups) byShard[shardOf(standing[0], byShard.length)]?.push(standing)
    for (const [shard, own] of byShard.entries()) {
      const envelope: MailToGroups = { to: 'groups', mail: { ...mail, groups: own } }
      if (own.length > 0) this.#toHub.push(ToHub.attach, mail.session, Uint8Array.of(shard), pack(envelope))
    }
  }

  #sendMail(mail: Mail): void {
    this.#toHub.push(ToHub.mail, shardOf(mail.id, this.#options.shards), undefined, pack(mail))
  }
}

function topicOf(groupId: string): Uint8Array {
  return Buffer.from(`g:${groupId}`)
}

function addressAt(groupId: string, seq: number): Uint8Array {
  return withSeq(addressOf(`g:${groupId}`), seq)
}

/** On whose behalf a read is made, for its turn among others. */
function readerOf(to: ReadEffect['to']): string {
  if ('userId' in to) return to.userId
  return 'front' in to ? `front ${to.front}` : `session ${to.session}`
}
