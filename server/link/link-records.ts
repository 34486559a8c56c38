/**
 * Link records: what an engine and a front send each other over a link.
 *
 * The records are those of `threads/batch.ts`: kind, number, id, body. The two tables are the complete
 * protocol; a change of their meaning changes `LINK_VERSION`. Frames of clients and of the engine cross as
 * they are. Everything else in a body is a packed value. Numbers in ids and bodies are little-endian: 4
 * bytes, a seq has 6.
 */

/** Sent by both sides. The engine's has its health as the body (packed). */
export const HEARTBEAT = 1

/** Records from a front to its engine. `number` is a session unless stated otherwise. */
export const ToEngine = {
  /** body: the identity (packed). */
  open: 2,
  /** body: a request frame of the client. */
  frame: 3,
  /** The connection is closed. Answered by `ended`. */
  closed: 4,
  /** body: the identity of a newer token (packed). */
  renew: 5,
  /** The connection has room. id: the number of the question. */
  drained: 6,
  /** number: the call; id: its name; body: its arguments (packed). Answered by `answer` or `refusal`. */
  call: 7,
  /** body: a notice (packed). */
  notice: 8,
  /** body: topics that continue, and the numbers that stand for them (packed `NamedTopic`s). Before `reopen`. */
  topics: 20,
  /** body: a session of an earlier link (packed `NamedSession`). */
  reopen: 21,
  /** All sessions of earlier links are named. */
  settled: 22,
  /** The front ends: its sessions do not continue. */
  leaving: 24,
  /** Answers `pause`: no request follows on this link. */
  paused: 23,
} as const

/** Records from an engine to a front. `number` is a session unless stated otherwise. */
export const ToFront = {
  /** body: an event frame. */
  send: 2,
  /** number: a topic; id: a session that does not receive it, or nothing; body: an ephemeral event frame. */
  publish: 3,
  /** number: a topic; id: the seq; body: a durable event frame. */
  show: 4,
  /** id: the topic's name; body: its number, then the seq after which the session receives it. */
  subscribe: 5,
  /** id: the topic's number. */
  unsubscribe: 6,
  /** id: the reason, from the table of close codes. */
  close: 7,
  /** A frame of the session was malformed. */
  malformed: 8,
  /** Asks for `drained`. id: the number of the question. */
  whenDrained: 9,
  /** number: the call; body: the result (packed). */
  answer: 10,
  /** number: the call; body: the fields of a ChatError (packed). */
  refusal: 11,
  /** body: a notice (packed). */
  notice: 12,
  /** id: the seq, then the topic's name; body: a durable event since the session began. */
  missed: 20,
  /** The same from before it began, for a `resume`. */
  replayed: 21,
  /** body: where the session's groups begin; the front returns it in `reopen`. */
  attaching: 22,
  /** Answers `reopen`. */
  reopened: 23,
  /** number: a topic of which too much was missed: its sessions are closed, and resume. */
  lost: 24,
  /** number: a topic; id: its name; body: how its subscribers changed (packed `SubscriberChange`). */
  changeSubscribers: 25,
  /** Answers `closed`: its user is seen as offline in time. */
  ended: 27,
  /** The engine stops: the front holds requests from here on, and answers `paused`. */
  pause: 26,
} as const

/** A topic of a front, the seq from which it continues, and whether the front has shown the event after it. */
export type NamedTopic = readonly [number: number, groupId: string, seq: number, inDoubt: boolean]

/** A session of an earlier link, as its front knows it. */
export type NamedSession = readonly [
  identity: { readonly userId: string; readonly name?: string; readonly picture?: string },
  topics: readonly number[],
  /** The bodies of `attaching`. */
  attaching: readonly Uint8Array[],
  /** Groups of which it has received events before it was subscribed, and the newest of these. */
  missed: readonly (readonly [groupId: string, seq: number])[],
]

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value)
  return bytes
}
