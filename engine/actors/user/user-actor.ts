/**
 * User actor: one user's sessions and groups, and the mail for them, handled strictly in order.
 *
 * Loaded by the first mail. It may be unloaded when the user has no session and nothing is under way.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import { type RequestSpec, type RequestsTo, requests } from '../../../protocol/requests.ts'
import { laneOf } from '../../base/partition.ts'
import { overloaded } from '../../base/refusals.ts'
import type { ActorContext, Asked } from '../actor-context.ts'
import type { Effects } from '../effects.ts'
import type { UserMail } from '../mail.ts'
import { Mailbox } from '../mailbox.ts'
import { barred, visible } from './blocks.ts'
import { setProfile } from './profile.ts'
import { replayed } from './resume.ts'
import { closed, joined, type LoadedSummaries, left, noSummaries, open } from './sessions.ts'
import { accepted, graceOver, groupSize, stopping } from './status.ts'
import { userHandlers } from './user-handlers.ts'
import { type UserState, userState } from './user-state.ts'

export class UserActor {
  readonly userId: string
  readonly #context: ActorContext
  readonly #lane: number
  readonly #mailbox = new Mailbox<UserMail | Asked>()
  #user: UserState | null = null
  /** Read together with the user, for the session whose mail loaded the actor. */
  #loaded: LoadedSummaries | undefined

  /**
   * `onFailed` removes the actor, which could not be loaded, so that the next mail loads it again. `opening`:
   * the first mail is that of a session, which is answered from the same read.
   */
  constructor(userId: string, context: ActorContext, onFailed: (userId: string) => void, opening = false) {
    this.userId = userId
    this.#context = context
    this.#lane = laneOf(userId)
    const readAtMs = context.steadyNow()
    const summaries = opening ? limits.connectedGroups : undefined
    context.read({ read: 'user', userId, summaries }, userId).then(
      (loaded) => {
        this.#user = userState(userId, loaded, context.rules.maxGroupsPerUser)
        // A user that is not in storage is in no group.
        const found = loaded || !opening ? loaded?.summaries : noSummaries
        if (found) this.#loaded = { summaries: found, readAtMs }
        for (const mail of this.#mailbox.takeAll()) this.receive(mail)
      },
      (error: unknown) => {
        context.report(error, 'a user could not be loaded')
        for (const mail of this.#mailbox.takeAll()) this.#refuse(mail, ChatError.from(error))
        onFailed(userId)
      },
    )
  }

  /** Number of waiting mails, for the stats. */
  get depth(): number {
    return this.#mailbox.size
  }

  /** When it handled mail the last time, by the steady clock; 0 until then. */
  get lastUsedAt(): number {
    return this.#user?.steadyNow ?? 0
  }

  /** True when it may be unloaded: storage has everything that it knew. */
  get idle(): boolean {
    return this.#user !== null && this.#user.sessions.size === 0 && this.#user.graceUntil === null
  }

  /** Writes what is only in memory: the shard stops. */
  stopping(): void {
    if (this.#user) this.#context.perform(stopping(this.#user, this.#context.now()), null)
  }

  receive(mail: UserMail | Asked): void {
    if (!this.#user) {
      if (!this.#mailbox.push(mail)) {
        this.#refuse(mail, overloaded())
      }
      return
    }
    try {
      this.#context.perform(this.#run(this.#user, mail), null)
    } catch (error) {
      this.#refuse(mail, error)
    }
  }

  #run(user: UserState, mail: UserMail | Asked): Effects {
    user.steadyNow = this.#context.steadyNow()
    switch (mail.type) {
      case 'request': {
        const { by, request } = mail
        const { durable }: RequestSpec = requests[request.event]
        const refusal = durable === 'state' ? this.#context.ledger.refusal(this.#lane) : null
        if (refusal) throw refusal
        const handler = userHandlers[request.event as RequestsTo<'user'>]
        return handler(user, by, request.fields as never, this.#context.now(), this.#context.newId)
      }
      case 'open': {
        const loaded = this.#loaded
        // A later session may have been shown more than the read found.
        this.#loaded = undefined
        return open(user, mail, this.#context.greeting, this.#context.now(), loaded)
      }
      case 'barred':
        return barred(user, mail, this.#context.now())
      case 'visible':
        return visible(user, mail, this.#context.now())
      case 'profile':
        return setProfile(user, mail, this.#context.now())
      case 'closed':
        return closed(user, mail, this.#context.now(), this.#context.presenceGraceMs)
      case 'joined':
        return joined(user, mail)
      case 'accepted':
        return accepted(user, mail, this.#context.now())
      case 'left':
        return left(user, mail)
      case 'replayed':
        return replayed(user, mail)
      case 'group_size':
        return groupSize(user, mail)
      case 'alarm':
        return graceOver(user, this.#context.now())
    }
  }

  #refuse(mail: UserMail | Asked, error: unknown): void {
    if (mail.type === 'request') return this.#context.refuse(mail.by, mail.request, error)
    if (!(error instanceof ChatError)) this.#context.report(error, `mail "${mail.type}" failed`)
    // A session that was not opened receives nothing: it reconnects instead.
    if (mail.type === 'open') {
      this.#context.perform([{ type: 'close', session: mail.session, reason: 'failed' }], null)
    }
  }
}
