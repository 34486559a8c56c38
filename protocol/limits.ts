/**
 * The limits that are part of the wire contract. Operators cannot change them, because clients and
 * stored data rely on them. Limits that an operator can set are in the server's configuration.
 */
export const limits = {
  /** IDN-1: a user id is the JWT's `sub`. */
  userIdBytes: 128,
  groupIdChars: 64,
  nameBytes: 256,
  urlBytes: 2_048,
  topicBytes: 1_024,
  tempIdBytes: 128,

  fileNameBytes: 255,
  mimeTypeBytes: 127,
  contentBytes: 32_768,
  mentions: 50,
  emojiBytes: 64,
  /** Different emoji on one message, and users listed for all its reactions. Any number of users may react. */
  reactionEmoji: 20,
  reactions: 500,
  /** A message can be recalled for five minutes. */
  recallWindowMs: 300_000,
  /** Messages named in one receipt. */
  receiptMessages: 500,
  /** The greatest distance of `mark_unread` from the newest seq. */
  markUnread: 10_000,
  /** Users listed in `receipts` and `online_users`; the counts are always complete. */
  listedUsers: 500,
  /** PRS-2: groups above this size get no presence, typing or per-user receipt events. */
  largeGroup: 500,
  /** Pending invitations of one user, and of one group. */
  invitations: 1_000,
  /** Events of a direct chat that wait until it is accepted. */
  awaitedEvents: 100,
  /** Invitations of one page. */
  invitationsPage: 200,
  pinnedMessages: 100,
  signalKindBytes: 64,
  signalPayloadBytes: 16_384,
  /** The bytes of one `upload_chunk` or `upload_file`; the frame has its own limit. */
  chunkBytes: 1_048_576,
  queryBytes: 256,
  searchPage: 100,
  searchPageDefault: 20,
  snippetBytes: 2_048,
  /** Users that one user can block. */
  blocks: 1_000,
  usersPage: 100,
  usersPageDefault: 50,
  membersPage: 500,
  /** A cursor may contain a user id. */
  cursorBytes: 256,
  /** Members named in one `create_group`; more join later. */
  createMembers: 1_000,
  membersPerGroup: 10_000,
  historyPage: 200,
  historyPageDefault: 50,
  groupsPage: 200,
  groupsPageDefault: 50,
  /** Groups listed in `connected`; `get_groups` lists the others. */
  connectedGroups: 200,
  resumeGroups: 1_000,
  /** CUP-1: if more events of one group were missed, `complete` is false. */
  resumeEvents: 10_000,
  /** SLW-1: the largest answer, in either encoding. A list continues on the next page. */
  answerBytes: 262_144,
  /** Groups up to this size list their members in `group` and `group_created`. */
  listedMembers: 500,
  tokenBytes: 8_192,
} as const
