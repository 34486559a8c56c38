/**
 * Front sessions: the connections of a front, and the topics that they subscribe to.
 */
import type { Identity, SessionPort } from '../../engine/hub/gateway.ts'

/** A topic with subscribers in this front. */
export interface FrontTopic {
  readonly name: string
  /** Stands for it on the link. */
  number: number
  /** Subscribed sessions. */
  sessions: number
}

export class FrontSession {
  readonly number: number
  readonly port: SessionPort
  identity: Identity
  readonly topics: FrontTopic[] = []

  constructor(number: number, port: SessionPort, identity: Identity) {
    this.number = number
    this.port = port
    this.identity = identity
  }
}

export class FrontSessions {
  readonly #byNumber = new Map<number, FrontSession>()
  readonly #topics = new Map<number, FrontTopic>()
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

  /** The connection is closed: it leaves its topics. */
  remove(session: FrontSession): void {
    this.#byNumber.delete(session.number)
    for (const topic of session.topics) this.#drop(topic)
    session.topics.length = 0
  }

  subscribe(session: FrontSession, number: number, name: string): void {
    let topic = this.#topics.get(number)
    if (!topic) {
      topic = { name, number, sessions: 0 }
      this.#topics.set(number, topic)
    }
    if (session.topics.includes(topic)) return
    session.topics.push(topic)
    topic.sessions += 1
    session.port.subscribe(name)
  }

  unsubscribe(session: FrontSession, number: number): void {
    const at = session.topics.findIndex((topic) => topic.number === number)
    const topic = session.topics[at]
    if (!topic) return
    session.topics.splice(at, 1)
    this.#drop(topic)
    session.port.unsubscribe(topic.name)
  }

  #drop(topic: FrontTopic): void {
    topic.sessions -= 1
    if (topic.sessions === 0) this.#topics.delete(topic.number)
  }
}
