/**
 * Subscriptions: which sessions receive the events of which groups.
 *
 * The front ends deliver the events of one topic by themselves; the hub needs the subscribers to know
 * whether a topic has any, and for events that are published to several topics. Bounded by the sessions
 * and their groups.
 */
import { SEQ_BYTES, seqAt } from '../base/seq-bytes.ts'
import { durableTwin } from '../base/topics.ts'
import type { Announcement } from '../shards/hub-records.ts'
import type { Front, SubscriberChange } from './gateway.ts'
import type { HubSession, HubSessions, Subscribers } from './hub-sessions.ts'

export class Subscriptions {
  readonly #sessions: HubSessions
  readonly #byTopic = new Map<string, Subscribers>()
  #announcements = 0

  constructor(sessions: HubSessions) {
    this.#sessions = sessions
  }

  /** The subscribers of the group of the topic, durable or ephemeral. */
  of(topic: string): Subscribers | undefined {
    return this.#byTopic.get(topic) ?? this.#byTopic.get(durableTwin(topic))
  }

  /** Subscribes the session to groups, of which it has received the events up to these seqs (`seq-bytes.ts`). */
  add(session: HubSession, groupIds: readonly string[], seqs: Uint8Array): void {
    for (const [i, groupId] of groupIds.entries()) {
      const topic = `g:${groupId}`
      session.port.subscribe(topic, seqAt(seqs, i * SEQ_BYTES))
      this.#join(session, topic)
    }
  }

  /** The connection of the session is subscribed to these groups already. */
  restore(session: HubSession, groupIds: Iterable<string>): void {
    for (const groupId of groupIds) this.#join(session, `g:${groupId}`)
  }

  /** The front counts as a subscriber of the topic until `release`. */
  hold(front: Front, topic: string): void {
    joinFront(front, this.#subscribersOf(topic))
  }

  release(front: Front, topic: string): void {
    const subscribers = this.#byTopic.get(topic)
    if (!subscribers) return
    leaveFront(front, subscribers)
    this.#removeUnused(subscribers)
  }

  /** The subscribers of the topic in a front change. The front has subscribed who joined by itself. */
  change(front: Front, topic: string, change: SubscriberChange): void {
    if ('left' in change) return this.#removeFrom(change.left, topic, front)
    if ('joined' in change) {
      for (const session of this.#sessions.ofUser(change.joined)) {
        if (session.port.front === front) this.#join(session, topic)
      }
      return
    }
    const subscribers = this.#byTopic.get(topic)
    const stay = new Set(change.only)
    for (const session of [...(subscribers?.sessions ?? [])]) {
      if (session.port.front !== front || stay.has(session.userId)) continue
      session.port.unsubscribe(topic)
      if (subscribers) this.#leave(session, subscribers)
    }
  }

  /** Unsubscribes all sessions of a user from a topic. */
  removeUser(userId: string, topic: string): void {
    for (const front of this.#byTopic.get(topic)?.fronts?.keys() ?? []) front.userLeft(topic, userId)
    this.#removeFrom(userId, topic)
  }

  /** Unsubscribes all sessions of a user from a topic, or only those in a front. */
  #removeFrom(userId: string, topic: string, front?: Front): void {
    const subscribers = this.#byTopic.get(topic)
    for (const session of this.#sessions.ofUser(userId)) {
      if (front && session.port.front !== front) continue
      session.port.unsubscribe(topic)
      if (subscribers) this.#leave(session, subscribers)
    }
  }

  /** The session is closed. */
  removeAll(session: HubSession): void {
    for (const subscribers of session.subscribed ?? []) this.#remove(session, subscribers)
    session.subscribed = null
  }

  /** PRS-3: an event for the subscribers of several topics, once for each session. */
  announce(announcement: Announcement, frame: Uint8Array): void {
    const { topics, exceptSession, exceptUsers, onlyUser, about } = announcement
    if (onlyUser !== undefined) return this.#announceTo(onlyUser, new Set(topics), frame)
    this.#announcements += 1
    const except = exceptSession === undefined ? undefined : this.#sessions.get(exceptSession)
    const apart = new Set(exceptUsers)
    for (const topic of topics) {
      for (const session of this.#byTopic.get(topic)?.sessions ?? []) {
        if (session.announced === this.#announcements || session.port.front?.isLive(topic) === false) continue
        session.announced = this.#announcements
        if (session === except || apart.has(session.userId)) continue
        if (about !== undefined && this.#sessions.hasBlocked(session.userId, about)) continue
        session.port.send(frame)
      }
    }
  }

  /** An event for the sessions of one user that are subscribed to one of the topics. */
  #announceTo(userId: string, topics: ReadonlySet<string>, frame: Uint8Array): void {
    for (const session of this.#sessions.ofUser(userId)) {
      for (const { topic } of session.subscribed ?? []) {
        if (!topics.has(topic) || session.port.front?.isLive(topic) === false) continue
        session.port.send(frame)
        break
      }
    }
  }

  #leave(session: HubSession, subscribers: Subscribers): void {
    const at = session.subscribed?.indexOf(subscribers) ?? -1
    if (at >= 0) session.subscribed?.splice(at, 1)
    this.#remove(session, subscribers)
  }

  #remove(session: HubSession, subscribers: Subscribers): void {
    if (!subscribers.sessions.delete(session)) return
    if (session.port.front) leaveFront(session.port.front, subscribers)
    this.#removeUnused(subscribers)
  }

  #join(session: HubSession, topic: string): void {
    const subscribers = this.#subscribersOf(topic)
    if (subscribers.sessions.has(session)) return
    const { front } = session.port
    if (front) joinFront(front, subscribers)
    subscribers.sessions.add(session)
    // A literal has room for one.
    if (session.subscribed) session.subscribed.push(subscribers)
    else session.subscribed = [subscribers]
  }

  #subscribersOf(topic: string): Subscribers {
    let subscribers = this.#byTopic.get(topic)
    if (!subscribers) {
      subscribers = { topic, sessions: new Set(), fronts: null }
      this.#byTopic.set(topic, subscribers)
    }
    return subscribers
  }

  #removeUnused({ topic, sessions, fronts }: Subscribers): void {
    if (sessions.size === 0 && !fronts?.size) this.#byTopic.delete(topic)
  }
}

function joinFront(front: Front, subscribers: Subscribers): void {
  subscribers.fronts ??= new Map()
  subscribers.fronts.set(front, (subscribers.fronts.get(front) ?? 0) + 1)
}

function leaveFront(front: Front, { topic, fronts }: Subscribers): void {
  const others = (fronts?.get(front) ?? 1) - 1
  if (others > 0) fronts?.set(front, others)
  else if (fronts?.delete(front)) front.left(topic)
}
