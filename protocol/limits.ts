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
  contentBytes: 32_768,
  mentions: 50,
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
  /** Groups up to this size list their members in `group` and `group_created`. */
  listedMembers: 500,
  tokenBytes: 8_192,
} as const
