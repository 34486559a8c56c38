/**
 * Shard: the actors of some partitions, and their mail.
 *
 * It receives batches from the hub. A client frame is decoded and validated here, once. The
 * `Performer` executes the effects of the actors. A shard has no clock, thread or file of its own, so
 * that the same code runs in a worker and on the calling thread. Bounds: `LoadedActors`,
 * mail per actor (`Mailbox`), uncommitted items (`HeldBack`); the hub bounds its inbox.
 */
import { decodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { peekHead } from '../../protocol/frame-head.ts'
import { requests } from '../../protocol/requests.ts'
import { groupOf } from '../../protocol/routed-group.ts'
import type { Asked } from '../actors/actor-context.ts'
import type { Caller } from '../actors/caller.ts'
import type { InterruptedTopic } from '../actors/continuing.ts'
import type { FileDepths } from '../actors/file-calls.ts'
import type { EarlierSession, Mail, MailToGroups } from '../actors/mail.ts'
import { shardOf } from '../base/partition.ts'
import type { Status } from '../stored/stored-user.ts'
import { type BatchWriter, readBatch } from '../threads/batch.ts'
import { pack, unpack } from '../threads/packing.ts'
import { Alarms } from './alarms.ts'
import { Attaching } from './attaching.ts'
import { Continuing } from './continuing.ts'
import { type Blocks, statuses, ToHub, ToShard } from './hub-records.ts'
import { Ledger } from './ledger.ts'
import { LoadedActors, type LoadedActorsOptions } from './loaded-actors.ts'
import { Performer, type PerformerOptions, type ShardDeps } from './performer.ts'
import { PresenceDirectory } from './presence-directory.ts'
import { Replies } from './replies.ts'

/** Delay before a group is loaded again after its entries were refused. */
const RELOAD_AFTER_MS = 1_000
/** Number of handled records above which the hub is notified of them in a batch of its own. */
const REPORT_AFTER = 1_024

export interface ShardOptions extends PerformerOptions, LoadedActorsOptions {
  /** Actors that were unused for this time are evicted. */
  readonly idleMs: number
}

/** The user of a session. A session that is not `listening` receives no events, only answers. */
export interface SessionIdentity {
  readonly userId: string
  /** Empty if the token has no name. */
  readonly name: string
  readonly picture: string
  readonly sessionId: string
  readonly listening: boolean
  /** It continues a session of a front whose link was interrupted. Only the user's own shard receives it. */
  readonly earlier?: EarlierSession | undefined
  /** It acts for the service itself, not for a user. */
  readonly service?: boolean | undefined
}

/** What stays of it while the session is open. */
type KnownSession = Pick<SessionIdentity, 'userId' | 'name' | 'listening' | 'service'>

/** Queue lengths and counts of one shard. */
export interface ShardStats extends FileDepths {
  readonly groups: number
  readonly users: number
  readonly sessions: number
  /** Messages accepted since the start. */
  readonly posts: number
  /** Log entries appended and committed since the start. */
  readonly appended: number
  readonly committed: number
  /** Answers and events that wait for a commit. */
  readonly held: number
  /** Mail waiting for actors that are loading. */
  readonly mail: number
  /** Actors that wait for an alarm: for typing, receipts, a grace period. */
  readonly alarms: number
  /** Groups whose events fronts have missed, or may have missed, and not received yet. */
  readonly continuing: number
}

export class Shard {
  readonly #options: ShardOptions
  readonly #toHub: BatchWriter
  /** Records that were handled and that the hub was not notified of. */
  #handled = 0
  readonly #alarms: Alarms
  readonly #directory = new PresenceDirectory()
  readonly #replies: Replies
  readonly #ledger: Ledger
  readonly #performer: Performer
  readonly #sessions = new Map<number, KnownSession>()
  readonly #actors: LoadedActors
  readonly #attaching: Attaching
  readonly #continuing: Continuing
  #draining = false

  constructor(options: ShardOptions, deps: ShardDeps) {
    this.#options = options
    this.#toHub = deps.toHub
    this.#alarms = new Alarms(deps, ({ to, id, what }) =>
      this.#deliver({ to, id, mail: { type: 'alarm', what } } as Mail),
    )
    this.#replies = new Replies(deps.toHub, deps.now)
    this.#ledger = new Ledger(options, deps, this.#replies, {
      drained: () => this.sweep(),
      failing: (lanes, error) => {
        for (const group of this.#actors.groups.values())
          if (lanes.has(group.lane)) group.storageFailed(error)
      },
      refused: (groupId) => this.#abandon(groupId),
    })
    this.#performer = new Performer(options, deps, {
      ledger: this.#ledger,
      replies: this.#replies,
      alarms: this.#alarms,
      directory: this.#directory,
    })
    this.#actors = new LoadedActors(options, this.#performer, this.#alarms, () => this.#ledger.fails)
    this.#attaching = new Attaching({
      stateOf: (id, mail, sinceMs) => {
        // A front has not received the group's events yet: they come first.
        if (this.#continuing.has(id)) return 'other'
        const group = this.#actors.groups.get(id)
        if (group) return group.isCaughtUp(mail) ? 'caught-up' : 'other'
        // A group whose entries were refused is loaded soon: its members must be notified of what was lost.
        const mayDiffer = this.#alarms.waits('group', id) || this.#actors.mayHaveBeenLoaded(id, sinceMs)
        return mayDiffer ? 'other' : 'unchanged'
      },
      deliver: (id, mail) => this.#deliver({ to: 'group', id, mail }),
      subscribe: (session, groupIds, after) => this.#performer.subscribe(session, groupIds, after),
      isOpen: (session) => this.#sessions.has(session),
      later: (then) => deps.after(0, then),
    })
    this.#continuing = new Continuing({
      newest: (groupIds) => this.#performer.read({ read: 'newest', groupIds }, 'fronts'),
      steadyNow: deps.steadyNow,
      isAt: (id, seq) => this.#actors.groups.get(id)?.isAt(seq),
      mayHaveBeenLoaded: (id, sinceMs) =>
        this.#alarms.waits('group', id) || this.#actors.mayHaveBeenLoaded(id, sinceMs),
      deliver: (id, mail) => this.#deliver({ to: 'group', id, mail }),
      live: (front, groupId) => this.#performer.continued({ type: 'continued', front, groupId, how: 'live' }),
      report: (error, what) => this.#replies.report(error, what),
      after: (delayMs, then) => void deps.after(delayMs, then),
    })
    this.#performer.onContinued = (front, groupId, how) => this.#continuing.continued(front, groupId, how)
  }

  /** Handles a batch from the hub. */
  receive(batch: Uint8Array): void {
    readBatch(batch, (kind, number, id, body) => {
      this.#handled += 1
      switch (kind) {
        case ToShard.frame:
          return this.#onFrame(number, body)
        case ToShard.open:
          return this.#onOpen(number, unpack<SessionIdentity>(body))
        case ToShard.openWithFrame:
          this.#onOpen(number, unpack<SessionIdentity>(id))
          return this.#onFrame(number, body)
        case ToShard.closed:
          return this.#onClosed(number)
        case ToShard.mail:
          return this.#onMail(unpack<Mail | MailToGroups>(body))
        case ToShard.report:
          return this.#toHub.push(ToHub.report, 0, undefined, pack(this.stats()))
        case ToShard.presence:
          return this.#onPresence(Buffer.from(body).toString(), statuses[number] ?? 'offline')
        case ToShard.renamed: {
          const { userId, name } = unpack<{ userId: string; name: string }>(body)
          return this.#directory.renamed(userId, name)
        }
        case ToShard.blocks:
          for (const { groupId, typist, from } of this.#directory.setBlocked(unpack<Blocks>(body))) {
            this.#deliver({ to: 'group', id: groupId, mail: { type: 'hide_typing', typist, from } })
          }
          return
        case ToShard.full:
          return this.#directory.setFull(Buffer.from(body).toString(), number === 1)
        case ToShard.nameOf:
          return void this.#sendName(Buffer.from(body).toString(), number)
        case ToShard.continue:
          return this.#continuing.add(number, unpack<readonly InterruptedTopic[]>(body))
        case ToShard.settle:
          return this.#toHub.push(ToHub.settled, number)
        case ToShard.drain:
          return this.#drain()
      }
    })
    // Together with other records if possible: a separate batch would wake the hub's thread for nothing.
    if (this.#toHub.isEmpty && this.#handled < REPORT_AFTER) return
    this.#toHub.push(ToHub.handled, this.#handled)
    this.#handled = 0
  }

  /** Evicts idle actors, or all actors while it drains. Called periodically, and after commits while draining. */
  sweep(idleMs = this.#draining ? 0 : this.#options.idleMs): void {
    this.#actors.evict(idleMs)
    const { appended, committed } = this.#ledger.depths
    if (this.#draining && this.#actors.groups.size === 0 && appended === committed)
      this.#toHub.push(ToHub.drained, 0)
  }

  /** Stops its timers. The shard must not be used afterwards. */
  close(): void {
    this.#alarms.close()
    this.#ledger.close()
  }

  stats(): ShardStats {
    return {
      groups: this.#actors.groups.size,
      users: this.#actors.users.size,
      sessions: this.#sessions.size,
      mail: this.#actors.mail,
      alarms: this.#alarms.size,
      continuing: this.#continuing.size,
      ...this.#performer.depths,
    }
  }

  #drain(): void {
    if (!this.#draining) for (const user of this.#actors.users.values()) user.stopping()
    this.#draining = true
    this.#ledger.stopWrites()
    this.#alarms.ringAll()
    this.sweep()
  }

  #onFrame(session: number, frame: Uint8Array): void {
    const identity = this.#sessions.get(session)
    // The session was closed by this side a moment ago.
    if (!identity) return
    const { userId, service } = identity
    // The newest token of the user's sessions applies (IDN-2); a session that only sends requests uses its own.
    const name = identity.listening ? this.#directory.nameOf(userId) : identity.name
    let by: Caller | null = null
    try {
      const request = decodeRequest(frame)
      by = { session, ref: request.ref, userId, name, service }
      const asked: Asked = { type: 'request', by, request }
      switch (requests[request.event].route) {
        case 'group':
          return this.#actors.group(groupOf(request)).receive(asked)
        case 'user':
          return this.#actors.user(userId).receive(asked)
        case 'connection':
          throw new ChatError('bad_request', `${request.event} is answered by the connection only`)
      }
    } catch (error) {
      if (!(error instanceof ChatError)) this.#replies.report(error, 'a frame failed')
      const refusal = ChatError.from(error)
      // A frame that cannot be decoded may still have a ref.
      by ??= { session, ref: peekHead(frame)?.ref ?? 0, userId, name, service }
      this.#replies.refuse(by, refusal)
      if (refusal.malformed) this.#toHub.push(ToHub.malformed, session)
    }
  }

  #onOpen(session: number, identity: SessionIdentity): void {
    const { userId, name, listening, service } = identity
    // A literal has no room to spare.
    this.#sessions.set(session, { userId, name, listening, service })
    if (identity.listening) this.#directory.opened(identity.userId, session, identity.name)
    if (!identity.listening || shardOf(identity.userId, this.#options.shards) !== this.#options.index) return
    const { sessionId, picture, earlier } = identity
    const mail = { type: 'open', session, sessionId, name, picture, earlier } as const
    this.#deliver({ to: 'user', id: userId, mail })
  }

  #onClosed(session: number): void {
    const identity = this.#sessions.get(session)
    this.#sessions.delete(session)
    if (!identity?.listening) return
    const { userId } = identity
    this.#notifyDisconnected(userId, this.#directory.closed(userId))
    this.#actors.users.get(userId)?.receive({ type: 'closed', session })
  }

  #onPresence(userId: string, status: Status): void {
    // PRS-4: the typing of a user who becomes invisible is not shown any more.
    this.#notifyDisconnected(userId, this.#directory.setStatus(userId, status))
  }

  /** Answers with the user's name, or with the id if the name cannot be read. */
  async #sendName(userId: string, number: number): Promise<void> {
    let name = userId
    try {
      const [profile] = await this.#performer.read({ read: 'profiles', userIds: [userId] }, userId)
      if (profile) name = profile.name
    } catch (error) {
      this.#replies.report(error, 'a name could not be read')
    }
    this.#toHub.push(ToHub.named, number, undefined, Buffer.from(name))
  }

  #notifyDisconnected(userId: string, groupIds: readonly string[]): void {
    for (const id of groupIds) this.#deliver({ to: 'group', id, mail: { type: 'user_disconnected', userId } })
  }

  #onMail(envelope: Mail | MailToGroups): void {
    if (envelope.to === 'groups') return this.#attaching.attach(envelope.mail)
    // Attachments of the same session and group stay in order.
    if (envelope.mail.type === 'attach') this.#attaching.finish()
    this.#deliver(envelope)
  }

  #deliver(envelope: Mail): void {
    const { to, id, mail } = envelope
    if (to === 'user' && envelope.ifLoaded && !this.#actors.users.has(id)) return
    try {
      if (to === 'group') {
        if (mail.type === 'attach') this.#continuing.finish(id)
        this.#actors.group(id).receive(mail)
      } else this.#actors.user(id, mail.type === 'open' && !mail.earlier).receive(mail)
    } catch (error) {
      this.#replies.report(error, `mail "${mail.type}" could not be delivered`)
      // A session that misses mail would miss events: it reconnects and resumes.
      if ('session' in mail) this.#toHub.push(ToHub.close, mail.session, Buffer.from('failed'))
    }
  }

  /** Unloads the actor. The next one is loaded soon, so that members are notified of what was removed (GAP-1). */
  #abandon(groupId: string): void {
    if (this.#actors.abandon(groupId))
      this.#alarms.set({ to: 'group', id: groupId, what: 'reload' }, RELOAD_AFTER_MS)
  }
}
