/**
 * Gateway: the interface between connections and the engine.
 *
 * The front end and in-process sessions stand on one side, the actors on the other. Frames cross
 * as bytes in both directions; a session is a number here, so that only numbers and bytes
 * travel between threads. Everything is synchronous: a frame handed over in `receive` is queued
 * for its shard, the shards send by calls of `SessionPort` and `Publisher`.
 */

import type { CloseReason } from '../../protocol/close-codes.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import type { Continued, InterruptedTopic, SubscriberChange } from '../actors/continuing.ts'
import type { EarlierSession } from '../actors/mail.ts'
import type { Identity } from './identity.ts'

export type { Continued, ContinuedTopic, InterruptedTopic, SubscriberChange } from '../actors/continuing.ts'
export type { EarlierSession } from '../actors/mail.ts'
export type { Identity } from './identity.ts'

/**
 * The connections of another process, as the engine uses them: an event is passed once for all of them
 * that subscribe to its topic.
 */
export interface Front {
  /**
   * Publishes an ephemeral event to the topic's subscribers among these connections. The bytes are valid
   * during the call only. The connection `except` does not receive it.
   */
  publish(topic: string, frame: Uint8Array, except?: SessionPort): void
  /**
   * Whether events that are not durable are sent to the topic's subscribers: after an interruption not until
   * the topic has continued, and the sessions of the front are open again.
   */
  isLive(topic: string): boolean
  /** Publishes a durable event, with its seq. */
  show(topic: string, seq: number, frame: Uint8Array): void
  /** The same for an event that was published before the topic continued there (`continueTopics`). */
  showMissed(topic: string, seq: number, frame: Uint8Array): void
  /** The topic continues: everything from here on is published. Or it cannot, see `Continued`. */
  continued(topic: string, how: Continued): void
  /** The topic's subscribers changed before the next missed event; sessions that are named later are included. */
  changeSubscribers(topic: string, change: SubscriberChange): void
  /** A user does not receive the topic any more: not in sessions either that the front has not named yet. */
  userLeft(topic: string, userId: string): void
  /** No connection subscribes to the topic any more. */
  left(topic: string): void
}

/** One connection, as the engine uses it. Calls arrive in the order in which they take effect. */
export interface SessionPort {
  /** The connections that it belongs to, if they are in another process. Publishers do not reach it then. */
  readonly front?: Front | undefined
  /** Sends a msgpack event frame. The bytes are valid during the call only. */
  send(frame: Uint8Array): void
  /** Runs a function that sends several frames, so that one write can send them all. */
  together?(send: () => void): void
  /**
   * From now on this connection receives what is published to the group's topic and, while its reader
   * keeps up (SLW-1), to the ephemeral topic of the group. The engine names the newest
   * seq that it has received.
   */
  subscribe(topic: string, seq?: number): void
  unsubscribe(topic: string): void
  /**
   * Sends a durable event of the topic that the session has missed; without it `send` is called. `replayed`:
   * it answers a `resume`.
   */
  sendMissed?(topic: string, seq: number, frame: Uint8Array, replayed: boolean): void
  /** The session begins to receive groups: where each begins, for a later `EarlierSession`. */
  attaching?(groups: Uint8Array): void
  /** A session that continues an earlier one is open. */
  reopened?(): void
  /** Closes the connection with a reason of the table of close codes. */
  close(reason: CloseReason): void
  /** A shard found a frame of this connection malformed; it has been answered (INP-1). */
  countMalformed?(): void
  /** Calls `then` when the connection has room, at once if it has; never after `closed`. */
  whenDrained(then: () => void): void
}

/** Fans an event frame out to all connections that subscribe to a topic. */
export interface Publisher {
  /** The bytes are valid during the call only. The connection `except` does not receive it. */
  publish(topic: string, frame: Uint8Array, except?: SessionPort): void
}

export interface Gateway {
  /**
   * Starts a session. Its port then receives `connected` (encoded) as the first frame.
   * @throws ChatError `bad_request` (the identity is invalid), `shutting_down`
   */
  open(identity: Identity, port: SessionPort): number
  /**
   * Passes one client frame, whose bytes are copied, with the view that `viewFrame` read of it.
   * @throws ChatError `bad_request` (a group id that routes is missing), `unknown_event`,
   *   `overloaded` with `retryAfterMs` (the shard's inbox is full), `shutting_down`.
   */
  receive(session: number, frame: Uint8Array, view: FrameView): void
  /** A newer token of the session's user: its name and picture replace those of before. */
  renew(session: number, identity: Identity): void
  /** The connection is closed. Its port is not called again. */
  closed(session: number): void
  /** Adds a publisher; the returned function removes it. */
  addPublisher(publisher: Publisher): () => void
}

/** The gateway of an engine in this process, which also serves fronts in others. */
export interface EngineGateway extends Gateway {
  /**
   * Continues a session of a front whose link was interrupted: there is no `connected`. Its subscriptions
   * are those of `earlier`; the front has named their topics before.
   * @throws ChatError as `open` does
   */
  reopen(identity: Identity, port: SessionPort, earlier: EarlierSession): number
  /**
   * Lets topics continue in a front, from the newest seq of each that it has received: it receives the
   * missed events, then `continued`. It counts as a subscriber until `releaseTopic`.
   */
  continueTopics(front: Front, topics: readonly InterruptedTopic[]): void
  /** The topic has continued, and all sessions of the front are open again. */
  releaseTopic(front: Front, topic: string): void
  /**
   * All sessions of the front are open again: calls `then` once every shard knows the blocks of their users,
   * and has nothing on its way that it published before (PRV-1).
   */
  settleFront(front: Front, then: () => void): void
  /** The front's link has ended: nothing continues there. Its sessions end by `closed`. */
  removeFront(front: Front): void
}
