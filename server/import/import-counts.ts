/** Import counts: what an import did. */

/** Numbers of what was imported, and of what was not. */
export interface ImportCounts {
  messages: number
  groups: number
  members: number
  /** Messages that an earlier run imported. */
  repeated: number
  /** Messages that are older than the one before them in their group. */
  unordered: number
  /** Replies and read marks that name a message which was not imported before. */
  unknown: number
  /** Pins above the limit of a group, and bans of members. */
  dropped: number
}

export function noCounts(): ImportCounts {
  return { messages: 0, groups: 0, members: 0, repeated: 0, unordered: 0, unknown: 0, dropped: 0 }
}
