/**
 * Batches: what threads send each other.
 *
 * A batch is one buffer of records, all that one turn of the event loop had to say to one other
 * thread: `[kind u8][id length u16][number u32][body length u32][id][body]`, little-endian. A
 * record means what its kind says; the two tables below are the whole language between the hub
 * (the main thread) and a shard.
 */

/** What the hub tells a shard. `number` is a session unless said otherwise. */
export const ToShard = {
  /** body: a client frame of the session. */
  frame: 1,
  /** body: the session's identity (packed). All shards get it; of a session that only asks, those it asks. */
  open: 2,
  /** The session is gone. All shards hear it. */
  closed: 3,
  /** body: mail from an actor of any shard to one of this shard. */
  mail: 4,
  /** Finish: give leases back, commit, answer `drained`. */
  drain: 5,
  /** Answer `report`. */
  report: 6,
  /** number: an index of `statuses`; body: the user, UTF-8, who is seen so. All shards hear it. */
  presence: 7,
  /** body: a connected user's id and what they are called from now on (packed). All shards hear it. */
  renamed: 8,
  /** body: whom a user has blocked (packed `Blocks`). All shards get it. */
  blocks: 40,
  /** body: a connected user, UTF-8; number: 1 where they may be in no further group. All shards get it. */
  full: 50,
  /** Answer `named`. body: a user id, UTF-8; number: the look-up. */
  nameOf: 60,
} as const

/** What a shard tells the hub. `number` is a session unless said otherwise. */
export const ToHub = {
  /** body: an event frame for the session. */
  send: 1,
  /** id: a topic; body: an event frame for all its subscribers; number: one that does not get it, or 0. */
  publish: 2,
  /** body: the groups whose events the session gets from here on: their ids, a line each. */
  subscribe: 3,
  /** id: a topic that no session of the user (body, UTF-8) hears any more. */
  unsubscribe: 4,
  /** number: the shard that the mail in body goes to. */
  mail: 5,
  /** body: mail to come back with once the session's connection has room. */
  whenDrained: 6,
  /** number: how many records this shard has taken from its inbox since it last said so. */
  taken: 7,
  /** All is committed and given back; nothing more will come. */
  drained: 8,
  /** number: 1 where storage takes writes, 0 where it does not; body: why, UTF-8. */
  storage: 9,
  /** number: 0 info, 1 warn, 2 error; id: message; body: fields (packed). */
  log: 10,
  /** body: depths and counts of this shard (packed). */
  report: 11,
  /** id: why, of the table of close codes. */
  close: 12,
  /** id: a user; body: an event frame for all their sessions; number: one that does not get it, or 0. */
  sendUser: 13,
  /** id: a user; number: an index of `statuses`, how all shards are to see them. */
  presence: 14,
  /** id: an event frame; body: `Announcement` (packed): the topics whose subscribers get it, each once. */
  announce: 20,
  /** body: whom a user has blocked (packed `Blocks`), for all shards. */
  blocks: 40,
  /** body: a user, UTF-8; number: 1 where they may be in no further group, for all shards. */
  full: 50,
  /** number: the look-up; body: the name of the user, UTF-8. */
  named: 60,
  /** body: a post that is durable, and who was away (packed); only where hooks want to know. */
  posted: 15,
  /** A frame of the session could not be decoded, or a field has the wrong type (INP-1). */
  malformed: 16,
} as const

/** Who gets an event that is published to several topics (PRS-3), or not to all (PRV-1). */
export interface Announcement {
  readonly topics: readonly string[]
  /** A session that does not get it, and users none of whose sessions do. */
  readonly but?: number | undefined
  readonly exceptUsers: readonly string[]
  /** The user it is about: users who have blocked them do not receive it, even if the shard has no list yet. */
  readonly about?: string | undefined
  /** If given, only sessions of this user receive it. */
  readonly onlyUser?: string | undefined
}

/** Whom a user has blocked. PRV-1 */
export interface Blocks {
  readonly userId: string
  readonly blocked: readonly string[]
  /** Somebody has blocked the user. */
  readonly isBlocked: boolean
}

/** How a user may be seen, as numbers between threads. */
export const statuses = ['offline', 'online', 'away', 'busy'] as const

/** One record; `id` and `body` are views into the batch, valid while it is being read. */
export type VisitRecord = (kind: number, number: number, id: Uint8Array, body: Uint8Array) => void

const HEADER_BYTES = 11

/** Reads a batch record by record. */
export function readBatch(batch: Uint8Array, visit: VisitRecord): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  for (let at = 0; at < batch.length; ) {
    const idEnd = at + HEADER_BYTES + view.getUint16(at + 1, true)
    const bodyEnd = idEnd + view.getUint32(at + 7, true)
    visit(
      batch[at] as number,
      view.getUint32(at + 3, true),
      batch.subarray(at + HEADER_BYTES, idEnd),
      batch.subarray(idEnd, bodyEnd),
    )
    at = bodyEnd
  }
}

const NOTHING = new Uint8Array(0)
const SMALLEST_BYTES = 4 * 1024
const LARGEST_START_BYTES = 256 * 1024

/** Something that runs `task` when the current turn of the event loop ends. */
export type Defer = (task: () => void) => void

/**
 * Outbox: what one thread has to tell another, one batch per turn of the event loop.
 *
 * Records are appended to one growing buffer, which is handed over, not copied, when the turn
 * ends. No timer: under load a batch holds thousands of records, idle it holds one. Its bound is
 * its producer's: the hub counts what a shard has not taken yet (`Hub`), a shard takes no more
 * mail than its inbox holds.
 */
export class Outbox {
  readonly #deliver: (batch: Uint8Array) => void
  readonly #defer: Defer
  #buffer: Buffer<ArrayBuffer> | null = null
  #length = 0
  /** Follows the load, so that a busy outbox does not grow its buffer in every turn. */
  #startBytes = SMALLEST_BYTES

  constructor(deliver: (batch: Uint8Array) => void, defer: Defer) {
    this.#deliver = deliver
    this.#defer = defer
  }

  /** Appends one record; it leaves with the turn. */
  push(kind: number, number: number, id: Uint8Array = NOTHING, body: Uint8Array = NOTHING): void {
    const buffer = this.#reserve(HEADER_BYTES + id.length + body.length)
    const at = this.#length
    buffer[at] = kind
    buffer.writeUInt16LE(id.length, at + 1)
    buffer.writeUInt32LE(number, at + 3)
    buffer.writeUInt32LE(body.length, at + 7)
    if (id.length > 0) buffer.set(id, at + HEADER_BYTES)
    if (body.length > 0) buffer.set(body, at + HEADER_BYTES + id.length)
    this.#length = at + HEADER_BYTES + id.length + body.length
  }

  /** Hands over what has gathered, now. */
  flush(): void {
    const buffer = this.#buffer
    if (!buffer) return
    const batch = buffer.subarray(0, this.#length)
    this.#startBytes = Math.min(Math.max(nextPowerOfTwo(this.#length), SMALLEST_BYTES), LARGEST_START_BYTES)
    this.#buffer = null
    this.#length = 0
    this.#deliver(batch)
  }

  #reserve(bytes: number): Buffer<ArrayBuffer> {
    const needed = this.#length + bytes
    if (!this.#buffer) {
      // Not from Node's pool: the batch's ArrayBuffer is transferred to the other thread.
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(this.#startBytes, nextPowerOfTwo(needed)))
      this.#defer(() => this.flush())
    } else if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(nextPowerOfTwo(needed))
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    return this.#buffer
  }
}

function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(n, 1)))
}
