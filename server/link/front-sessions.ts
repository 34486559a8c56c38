/**
 * Front sessions: the connections of a front, the topics that they subscribe to, and what each has received.
 *
 * That is what a front needs to continue them with another engine (RES-1): for each topic the newest seq that
 * was published, for each session the requests without an answer and the positions of groups that it does not
 * receive by their topics yet. Bounded by the connections and their groups; requests have a bound of their own.
 */
import type { Identity, SessionPort, SubscriberChange } from '../../engine/hub/gateway.ts'
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
  /** It does: the session has received `connected`. */
  | 'open'
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
  readonly topics: FrontTopic[] = []
  /** Requests without an answer, in order; null if there is none. */
  requests: WaitingRequest[] | null = null
  /** Where its groups begin, in a form that only the engine reads; null once that is not needed any more. */
  attaching: Uint8Array[] | null = null
  attachingSinceMs = 0
  /** By topic, the newest event since it began that was sent to it before it was subscribed. */
  missed: Map<string, number> | null = null
  /** By topic, the newest event of a `resume` that is not answered yet. */
  replayed: Map<string, number> | null = null

  constructor(number: number, port: SessionPort, identity: Identity) {
    this.number = number
    this.port = port
    this.identity = identity
  }
}

export class FrontSessions {
  readonly #byNumber = new Map<number, FrontSession>()
  #topics = new Map<number, FrontTopic>()
  #lastNumber = 0

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

  /** The session is forgotten. */
  remove(session: FrontSession): void {
    this.#byNumber.delete(session.number)
    this.leaveAll(session)
  }

  /** The connection is closed: it has left its topics. */
  leaveAll(session: FrontSession): void {
    for (const topic of session.topics) this.#drop(topic)
    session.topics.length = 0
  }

  subscribe(session: FrontSession, number: number, name: string, seq: number): void {
    let topic = this.#topics.get(number)
    if (!topic) {
      topic = { name, number, seq, sessions: 0 }
      this.#topics.set(number, topic)
    }
    session.missed?.delete(name)
    if (session.topics.includes(topic)) return
    session.topics.push(topic)
    topic.sessions += 1
    session.port.subscribe(name, seq)
  }

  unsubscribe(session: FrontSession, number: number): void {
    const at = session.topics.findIndex((topic) => topic.number === number)
    const topic = session.topics[at]
    if (!topic) return
    session.topics.splice(at, 1)
    this.#drop(topic)
    session.port.unsubscribe(topic.name)
  }

  /** The subscribers of a topic changed while the link was interrupted. Rare: looks at every session. */
  changeSubscribers(number: number, name: string, change: SubscriberChange): void {
    const stays = staying(change)
    for (const session of this.#byNumber.values()) {
      const { userId } = session.identity
      if (!stays(userId)) this.unsubscribe(session, number)
      else if ('joined' in change && userId === change.joined && hasOpened(session)) {
        this.subscribe(session, number, name, change.after)
      }
    }
  }

  /** The sessions that are subscribed to the topic. */
  subscribers(number: number): readonly FrontSession[] {
    return [...this.#byNumber.values()].filter(({ topics }) => topics.some((one) => one.number === number))
  }

  /** A link begins: topics get numbers from 1. Returns them. */
  renumber(): readonly FrontTopic[] {
    const topics = [...this.#topics.values()]
    this.#topics = new Map(topics.map((topic, i) => [i + 1, topic]))
    for (const [number, topic] of this.#topics) topic.number = number
    return topics
  }

  #drop(topic: FrontTopic): void {
    topic.sessions -= 1
    if (topic.sessions === 0) this.#topics.delete(topic.number)
  }
}

function staying(change: SubscriberChange): (userId: string) => boolean {
  if ('left' in change) return (userId) => userId !== change.left
  if ('joined' in change) return () => true
  const stay = new Set(change.only)
  return (userId) => stay.has(userId)
}

/** Whether the client has received `connected`. */
function hasOpened({ phase }: FrontSession): boolean {
  return phase === 'open' || phase === 'interrupted'
}
