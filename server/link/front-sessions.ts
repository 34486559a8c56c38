/**
 * Front sessions: the connections of a front, the topics that they subscribe to, and what each has received.
 *
 * That is what a front needs to continue them with another engine (RES-1): for each topic the newest seq that
 * was published, for each session the requests without an answer and the positions of groups that it does not
 * receive by their topics yet. Bounded by the connections and their groups; requests have a bound of their own.
 */
import type { Identity, SessionPort, SubscriberChange } from '../../engine/hub/gateway.ts'
import { events } from '../../protocol/events.ts'
import { codeOf } from '../../protocol/frame-head.ts'
import type { NamedTopic } from './link-records.ts'
import type { WaitingRequest } from './waiting-requests.ts'

/** A topic with subscribers in this front. */
export interface FrontTopic {
  readonly name: string
  /** Stands for it on the link. */
  number: number
  /** The newest seq that was published. */
  seq: number
  /** Subscribed sessions. */
  sessions: number
}

/** Whether the engine at the other end of the link knows the session. */
type Phase =
  /** It does: the session has received `connected` over this link. */
  | 'open'
  /** It was sent `reopen`, and has not answered. */
  | 'reopening'
  /** It does: the session continues an earlier one. */
  | 'continued'
  /** It was sent `open`, and has not answered. */
  | 'opening'
  /** No engine does yet. */
  | 'new'
  /** An engine did, over an earlier link. */
  | 'interrupted'
  /** The connection is closed, and an engine has not confirmed yet that its user goes offline. */
  | 'closed'

export class FrontSession {
  readonly number: number
  readonly port: SessionPort
  identity: Identity
  phase: Phase = 'new'
  /** Those that it subscribes to. An array has fewer bytes than a set, which finds one of many faster. */
  topics: FrontTopic[] | Set<FrontTopic> = []
  /** Requests without an answer, in order; null if there is none. */
  requests: WaitingRequest[] | null = null
  /** Where its groups begin, in a form that only the engine reads; null once that is not needed any more. */
  attaching: Uint8Array[] | null = null
  /** When it was connected, or last began to receive groups or stopped. */
  changedAtMs = 0
  /** By topic that it is not subscribed to, the newest event since it began that it has received. */
  missed: Map<string, number> | null = null
  /** By topic, the newest event of a `resume` that is not answered yet. */
  replayed: Map<string, number> | null = null

  constructor(number: number, port: SessionPort, identity: Identity) {
    this.number = number
    this.port = port
    this.identity = identity
  }
}

/** From so many topics on those of a session are a set. */
const MANY_TOPICS = 64

/** After these the engine changes the subscribers of a topic, by a record that follows. */
const ending: ReadonlySet<number> = new Set([events.user_left_group.code, events.gap.code])

export class FrontSessions {
  /** Topics whose newest event is such a one, of which it is not known whether that record has arrived. */
  readonly #inDoubt = new Set<FrontTopic>()
  /** Sessions, with the names of the topics that they have left since this link began, while those continued. */
  readonly #left = new Map<FrontSession, Set<string>>()
  readonly #steadyNow: () => number
  readonly #byNumber = new Map<number, FrontSession>()
  #topics = new Map<number, FrontTopic>()
  #lastNumber = 0

  constructor(steadyNow: () => number) {
    this.#steadyNow = steadyNow
  }

  get size(): number {
    return this.#byNumber.size
  }

  get(number: number): FrontSession | undefined {
    return this.#byNumber.get(number)
  }

  topic(number: number): FrontTopic | undefined {
    return this.#topics.get(number)
  }

  all(): Iterable<FrontSession> {
    return this.#byNumber.values()
  }

  add(port: SessionPort, identity: Identity): FrontSession {
    do this.#lastNumber = (this.#lastNumber + 1) >>> 0
    while (this.#lastNumber === 0 || this.#byNumber.has(this.#lastNumber))
    const session = new FrontSession(this.#lastNumber, port, identity)
    this.#byNumber.set(session.number, session)
    return session
  }

  /** No engine knows the session: the next one opens it as a new one. */
  reset(session: FrontSession): void {
    session.phase = 'new'
    session.attaching = null
    session.missed = null
  }

  /** The session is forgotten. */
  remove(session: FrontSession): void {
    this.#byNumber.delete(session.number)
    this.leaveAll(session)
  }

  /** The connection is closed: it has left its topics. */
  leaveAll(session: FrontSession): void {
    for (const topic of session.topics) this.#drop(topic)
    this.#left.delete(session)
    session.topics = []
    session.attaching = null
    session.missed = null
  }

  subscribe(session: FrontSession, number: number, name: string, seq: number): void {
    let topic = this.#topics.get(number)
    if (!topic) {
      topic = { name, number, seq, sessions: 0 }
      this.#topics.set(number, topic)
    }
    session.missed?.delete(name)
    if (subscribesTo(session, topic)) return
    if (!Array.isArray(session.topics)) session.topics.add(topic)
    else if (session.topics.length < MANY_TOPICS) session.topics.push(topic)
    else session.topics = new Set([...session.topics, topic])
    topic.sessions += 1
    session.port.subscribe(name, seq)
  }

  unsubscribe(session: FrontSession, number: number): void {
    const topic = this.#topics.get(number)
    if (!topic || !subscribesTo(session, topic)) return
    const { topics } = session
    if (Array.isArray(topics)) topics.splice(topics.indexOf(topic), 1)
    else topics.delete(topic)
    this.missed(session, topic.name, topic.seq)
    this.#drop(topic)
    session.port.unsubscribe(topic.name)
  }

  /** A session that is not subscribed has received a topic's live event. False if it had received it before. */
  missed(session: FrontSession, name: string, seq: number): boolean {
    session.missed ??= new Map()
    if (seq <= (session.missed.get(name) ?? 0)) return false
    session.missed.set(name, seq)
    session.changedAtMs = this.#steadyNow()
    return true
  }

  /** An event of the topic. False if it was published before. */
  publishes(topic: FrontTopic, seq: number, frame: Uint8Array): boolean {
    if (seq <= topic.seq) return false
    topic.seq = seq
    if (ending.has(codeOf(frame))) this.#inDoubt.add(topic)
    else if (this.#inDoubt.size > 0) this.#inDoubt.delete(topic)
    return true
  }

  /** Everything that the engine had sent has arrived. */
  settle(): void {
    this.#inDoubt.clear()
  }

  /** The subscribers of a topic changed while the link was interrupted. Rare: looks at every session. */
  changeSubscribers(number: number, name: string, change: SubscriberChange): void {
    const stays = staying(change)
    for (const session of this.#byNumber.values()) {
      const { userId } = session.identity
      if (!stays(userId)) this.#leave(session, number, name)
      else if ('joined' in change && userId === change.joined && this.#left.get(session)?.has(name)) {
        // Others may still wait for events from before, which the engine sends once they are continued.
        this.subscribe(session, number, name, change.after)
      }
    }
  }

  /** The sessions that are subscribed to the topic. */
  subscribers(number: number): readonly FrontSession[] {
    const topic = this.#topics.get(number)
    return topic ? [...this.#byNumber.values()].filter((session) => subscribesTo(session, topic)) : []
  }

  /** A link begins: topics get numbers from 1. Returns them with the position from which each continues. */
  renumber(): readonly NamedTopic[] {
    const topics = [...this.#topics.values()]
    this.#left.clear()
    this.#topics = new Map(topics.map((topic, i) => [i + 1, topic]))
    for (const [number, topic] of this.#topics) topic.number = number
    return topics.map((topic): NamedTopic => {
      // The engine sends the event again, with the change that belongs to it.
      const inDoubt = this.#inDoubt.has(topic)
      return [topic.number, topic.name.slice(2), inDoubt ? topic.seq - 1 : topic.seq, inDoubt]
    })
  }

  #leave(session: FrontSession, number: number, name: string): void {
    const topic = this.#topics.get(number)
    if (!topic || !subscribesTo(session, topic)) return
    const names = this.#left.get(session) ?? new Set()
    this.#left.set(session, names.add(name))
    this.unsubscribe(session, number)
  }

  #drop(topic: FrontTopic): void {
    topic.sessions -= 1
    if (topic.sessions > 0) return
    this.#topics.delete(topic.number)
    this.#inDoubt.delete(topic)
  }
}

function subscribesTo({ topics }: FrontSession, topic: FrontTopic): boolean {
  return Array.isArray(topics) ? topics.includes(topic) : topics.has(topic)
}

function staying(change: SubscriberChange): (userId: string) => boolean {
  if ('left' in change) return (userId) => userId !== change.left
  if ('joined' in change) return () => true
  const stay = new Set(change.only)
  return (userId) => stay.has(userId)
}
