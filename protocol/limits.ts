/**
 * The limits that are part of the wire contract. What an operator may set is in the server's
 * configuration; these may not be set, because clients and stored data rely on them.
 */
export const limits = {
  /** SPEC 2: a user id is the JWT's `sub`. */
  userIdBytes: 128,
  groupIdChars: 64,
  nameBytes: 256,
  urlBytes: 2_048,
  topicBytes: 1_024,
  tempIdBytes: 128,
  fileIdBytes: 128,
  fileNameBytes: 255,
  mimeTypeBytes: 127,
  contentBytes: 32_768,
  mentions: 50,
  emojiBytes: 64,
  /** Different emoji on one message, and users listed of all its reactions; any number may react. */
  reactionEmoji: 20,
  reactions: 500,
  /** SPEC 3: a message is recalled within five minutes. */
  recallWindowMs: 300_000,
  /** Messages that one receipt names. */
  receiptMessages: 500,
  /** How far below the newest number `mark_unread` may go. */
  markUnread: 10_000,
  /** Users listed in `receipts` and `online_users`; the counts are always whole. */
  listedUsers: 500,
  /** SPEC 5: groups above this size get no presence, typing or per-user receipt events. */
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
  /** Users that one user blocks. */
  blocks: 1_000,
  usersPage: 100,
  usersPageDefault: 50,
  membersPage: 500,
  /** What stands in a cursor may be a user id. */
  cursorBytes: 256,
  /** Members named in one `create_group`; more join later. */
  createMembers: 1_000,
  membersPerGroup: 10_000,
  historyPage: 200,
  historyPageDefault: 50,
  groupsPage: 200,
  groupsPageDefault: 50,
  /** Groups listed in `connected`; the rest by `get_groups` (SPEC 4). */
  connectedGroups: 200,
  resumeGroups: 1_000,
  /** SPEC 5.4: above so many missed events of one group, `complete` is false. */
  resumeEvents: 10_000,
  /** SLW-1: no answer is larger, in either encoding; a list goes on in the next page. */
  answerBytes: 262_144,
  /** Groups up to this size list their members in `group` and `group_created`. */
  listedMembers: 500,
  tokenBytes: 8_192,
} as const
