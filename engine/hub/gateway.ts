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
import type { Identity } from './identity.ts'

export type { Identity } from './identity.ts'

/**
 * The connections of another process, as the engine uses them: an event is passed once for all of them
 * that subscribe to its topic.
 */
export interface Front {
  /**
   * Publishes to the topic's subscribers among these connections. The bytes are valid during the call only.
   * The connection `except` does not receive it.
   */
  publish(topic: string, frame: Uint8Array, except?: SessionPort): void
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
   * keeps up (SLW-1), to the ephemeral topic of the group.
   */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
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
