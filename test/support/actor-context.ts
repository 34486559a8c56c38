/**
 * A scripted actor context: reads are answered, leases committed and held tasks run only when the test
 * requests it; the actor's effects are stored unchanged.
 */
import type { ActorContext, EventSource } from '../../engine/actors/actor-context.ts'
import type { Caller } from '../../engine/actors/caller.ts'
import type { Effect, Effects } from '../../engine/actors/effects.ts'
import type { GroupRules } from '../../engine/actors/group-rules.ts'
import type { Presence } from '../../engine/actors/presence.ts'
import type { ReadName, ReadQuery, Reads } from '../../engine/stored/reads.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Request } from '../../protocol/requests.ts'

interface Asked {
  readonly query: ReadQuery
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export class ManualContext implements ActorContext {
  readonly rules: GroupRules = { editWindowMs: 0, maxGroupsPerUser: 0, contactPolicy: 'open' }
  readonly greeting = {
    serverVersion: '1',
    limits: { maxMessageBytes: 0, maxContentBytes: 0, rateLimit: 0, resumeEvents: 0 },
  }
  readonly presenceGraceMs = 5_000
  /** The users who are present. */
  readonly present = new Map<string, Presence>()
  readonly performed: Effect[] = []
  /** `ref code` of each refused request, in order. */
  readonly refused: string[] = []
  readonly reported: string[] = []
  readonly leases: { readonly ceiling: number; readonly commit: () => void }[] = []
  readonly hidden: (() => void)[] = []
  /** True while events are not fanned out to members; `afterShown` tasks then wait in `hidden`. */
  hides = false
  refusal: ChatError | null = null
  readonly ledger = {
    committed: 0,
    refusal: () => this.refusal,
    committedOf: () => this.ledger.committed,
    lease: (_groupId: string, ceiling: number, then: () => void) => {
      this.leases.push({ ceiling, commit: then })
    },
    afterShown: (_groupId: string, task: () => void) => {
      if (this.hides) this.hidden.push(task)
      else task()
    },
  }
  nowMs = 0
  #asked: Asked[] = []
  #offset = 0

  presenceOf(userId: string): Presence {
    return this.present.get(userId) ?? { connected: false, status: 'offline' }
  }

  steadyNow(): number {
    return this.nowMs
  }

  now(): number {
    return this.nowMs
  }

  newId(): string {
    return 'fresh'
  }

  /** Stores the effects, numbers the writes among them, and starts their reads. */
  perform(effects: Effects, group: EventSource | null): void {
    for (const effect of effects) {
      if (effect.type === 'with_presence') {
        this.perform(
          effect.then((userId) => this.presenceOf(userId)),
          group,
        )
        continue
      }
      this.performed.push(effect)
      if ((effect.type === 'append' || effect.type === 'record') && group) {
        this.#offset += 1
        group.lastOffset = this.#offset
      }
      if (effect.type !== 'read') continue
      if (group) group.reading += 1
      this.read(effect.query as never)
        .then((result) => {
          if (group) group.reading -= 1
          this.perform(effect.then(result as never, this.nowMs), group)
        })
        .catch((error: unknown) => this.report(error, `read "${effect.query.read}" failed`))
    }
  }

  refuse(by: Caller, _request: Request, error: unknown): void {
    this.refused.push(`${by.ref} ${ChatError.from(error).code}`)
  }

  read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ query: query as unknown as ReadQuery, resolve, reject })
    })
  }

  report(_error: unknown, what: string): void {
    this.reported.push(what)
  }

  /** Answers the oldest read, and continues what waits for it. */
  async answerRead<N extends ReadName>(read: N, result: Reads[N]['result']): Promise<void> {
    this.#next(read).resolve(result as never)
    await settled()
  }

  async failRead(read: ReadName): Promise<void> {
    this.#next(read).reject(new Error('unreadable'))
    await settled()
  }

  #next(read: ReadName): Asked {
    const asked = this.#asked.shift()
    if (asked?.query.read !== read) throw new Error(`"${asked?.query.read}" was read, not "${read}"`)
    return asked
  }
}

/** Runs all promise continuations that are ready. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
