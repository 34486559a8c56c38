/**
 * Hub records: the kinds of records in the batches between the hub, on the main thread, and a shard.
 *
 * The two tables are the complete protocol between the two sides.
 */

/** Records from the hub to a shard. `number` is a session unless stated otherwise. */
export const ToShard = {
  /** body: a client frame of the session. */
  frame: 1,
  /** body: the session's identity (packed). Sent to all shards. */
  open: 2,
  /** Of a session that only sends requests, its first one to this shard. id: its identity (packed); body: the client frame. */
  openWithFrame: 9,
  /** The session has ended. Sent to all shards that know it. */
  closed: 3,
  /** body: mail from an actor of any shard to one of this shard. */
  mail: 4,
  /** Finish: return leases, commit, answer `drained`. */
  drain: 5,
  /** Answer `report`. */
  report: 6,
  /** number: an index of `statuses`; body: the user with this status, UTF-8. Sent to all shards. */
  presence: 7,
  /** body: a connected user's id and new name (packed). Sent to all shards. */
  renamed: 8,
  /** body: the users that a user has blocked (packed `Blocks`). Sent to all shards. */
  blocks: 40,
  /** body: a connected user, UTF-8; number: 1 if they may not join another group. Sent to all shards. */
  full: 50,
  /**
   * number: a front; body: topics with the seq from which each continues there (packed
   * `InterruptedTopic`s). Answered by `continued` for each topic, after the missed events.
   */
  continue: 70,
  /** number: a front; answered by `settled`. Sent to all shards. */
  settle: 71,
  /** Answer `named`. body: a user id, UTF-8; number: the look-up. */
  nameOf: 60,
} as const

/** Records from a shard to the hub. `number` is a session unless stated otherwise. */
export const ToHub = {
  /** body: an event frame for the session. */
  send: 1,
  /** id: a topic; body: an ephemeral event frame for all its subscribers; number: a session that does not receive it, or 0. */
  publish: 2,
  /** id: the seq, then a topic; body: a durable event frame for all its subscribers. */
  show: 21,
  /** id: the seq, then a topic; body: a durable event frame since the session began, before it is subscribed. */
  missed: 22,
  /** The same from before it began, for a `resume`. */
  replayed: 25,
  /** id: seqs; body: ids of the groups whose events after these seqs the session receives, one per line. */
  subscribe: 3,
  /** id: a topic from which all sessions of the user (body, UTF-8) are unsubscribed. */
  unsubscribe: 4,
  /** number: the shard that receives the mail in the body. */
  mail: 5,
  /** id: the shard, one byte, that receives the mail in the body, by which it attaches the session to groups. */
  attach: 23,
  /** The session that continues an earlier one is open. */
  reopened: 24,
  /** number: a front; id: the seq, then a topic; body: a durable event frame that the front has missed. */
  showFront: 70,
  /** number: a front; id: a topic that continues there as the body says (packed `Continued`). */
  continued: 71,
  /** number: a front; id: a topic which only these users receive there (packed); `except`: everyone except this user. */
  changeSubscribers: 72,
  /** number: a front. Everything that was sent before `settle` is handled. */
  settled: 73,
  /** body: mail to return once the session's connection has room. */
  whenDrained: 6,
  /** number: how many records of its inbox this shard has handled since the last such record. Sent with others. */
  handled: 7,
  /** Everything is committed and all leases are returned. No record follows. */
  drained: 8,
  /** number: 1 if storage accepts writes, 0 if it rejects them; body: the reason, UTF-8. */
  storage: 9,
  /** number: 0 info, 1 warn, 2 error; id: message; body: fields (packed). */
  log: 10,
  /** body: depths and counts of this shard (packed). */
  report: 11,
  /** id: the reason, from the table of close codes. */
  close: 12,
  /** id: a user; body: an event frame for all their sessions; number: a session that does not receive it, or 0. */
  sendUser: 13,
  /** id: a user; number: the user's status for all shards, an index of `statuses`. */
  presence: 14,
  /** id: an event frame; body: `Announcement` (packed): the topics whose subscribers receive it, once per session. */
  announce: 20,
  /** body: the users that a user has blocked (packed `Blocks`), for all shards. */
  blocks: 40,
  /** body: a user, UTF-8; number: 1 if they may not join another group. For all shards. */
  full: 50,
  /** number: the look-up; body: the name of the user, UTF-8. */
  named: 60,
  /** body: a durable post and its offline members (packed `Posted`); only if hooks need it. */
  posted: 15,
  /** A frame of the session could not be decoded, or a field has the wrong type (INP-1). */
  malformed: 16,
} as const

/** The receivers of an event that is published to several topics (PRS-3), or not to all subscribers (PRV-1). */
export interface Announcement {
  readonly topics: readonly string[]
  /** A session that does not receive it; then users whose sessions do not receive it. */
  readonly exceptSession?: number | undefined
  readonly exceptUsers: readonly string[]
  /** The user it is about: users who have blocked them do not receive it, even if the shard has no list yet. */
  readonly about?: string | undefined
  /** If given, only sessions of this user receive it. */
  readonly onlyUser?: string | undefined
}

/** The users that a user has blocked. PRV-1 */
export interface Blocks {
  readonly userId: string
  readonly blocked: readonly string[]
  /** Another user has blocked this user. */
  readonly isBlocked: boolean
}

/** The visible statuses; records contain the index. */
export const statuses = ['offline', 'online', 'away', 'busy'] as const
