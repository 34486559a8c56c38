/**
 * Gateway: where connections meet the engine.
 *
 * The front end and in-process sessions stand on one side, the actors on the other. Frames cross
 * as bytes in both directions; a session is a number here, so that nothing but numbers and bytes
 * travels between threads. Everything is synchronous: a frame handed over in `receive` is queued
 * for its shard, what the shards want sent arrives as calls of `SessionPort` and `Publisher`.
 */
import type { CloseReason } from '../protocol/close-codes.ts'
import type { FrameView } from '../protocol/frame-view.ts'
import type { Identity } from './identity.ts'

export type { Identity } from './identity.ts'

/** One connection, as the engine uses it. Calls come in the order in which they take effect. */
export interface SessionPort {
  /** Sends a msgpack event frame. The bytes are valid during the call only. */
  send(frame: Uint8Array): void
  /** Does what sends several frames, so that they may leave in one write. */
  together?(send: () => void): void
  /**
   * From now on this connection gets what is published to the group's topic and to its ephemeral
   * twin; of that one only while its reader keeps up (SLW-1).
   */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Ends the connection, for a reason of the table of close codes. */
  close(reason: CloseReason): void
  /** A shard found a frame of this connection malformed; it has been answered (INP-1). */
  countMalformed?(): void
  /** Calls `then` once the connection has room again, at once where it has; never after `closed`. */
  whenDrained(then: () => void): void
}

/** Fans an event frame out to all connections that subscribe to a topic. */
export interface Publisher {
  /** The bytes are valid during the call only. The connection `but` does not get it. */
  publish(topic: string, frame: Uint8Array, but?: SessionPort): void
}

/** Where the ephemeral events of a group go: `e:<id>` for the topic `g:<id>`. */
export function ephemeralTwin(topic: string): string {
  return `e${topic.slice(1)}`
}

export interface Gateway {
  /**
   * Starts a session. Its port then gets `connected` (encoded) as the first frame.
   * @throws ChatError `bad_request` (the identity is none), `shutting_down`
   */
  open(identity: Identity, port: SessionPort): number
  /**
   * Passes one client frame, whose bytes are copied, with the view that `viewFrame` read of it.
   * @throws ChatError `bad_request` (no group id where one routes), `unknown_event`,
   *   `overloaded` with `retryAfterMs` (the shard's inbox is full), `shutting_down`.
   */
  receive(session: number, frame: Uint8Array, view: FrameView): void
  /** A newer token of the session's user: what it says of their name and picture counts from now on. */
  renew(session: number, identity: Identity): void
  /** The connection is gone. Its port is not called again. */
  closed(session: number): void
  /** Adds somebody who fans out; the function returned takes them off. */
  addPublisher(publisher: Publisher): () => void
}
