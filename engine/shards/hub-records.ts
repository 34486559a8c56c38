/**
 * Hub records: the kinds of records in the batches between the hub, on the main thread, and a shard.
 *
 * The two tables are the complete protocol between the two sides.
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
