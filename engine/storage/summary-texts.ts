/**
 * Summary texts: a user's groups in the form in which they are sent between two threads.
 *
 * As JSON text that the database creates they cost a quarter of what rows would cost (INP-2): thousands
 * of small values become one string. They are parsed only where they are needed.
 */
import type { GroupSummary, Member } from '../../protocol/records.ts'
import { awaitedMember } from '../stored/awaited-member.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { StoredGroup } from '../stored/stored-group.ts'
import type { LoadedUser, Person, Standing, Summaries } from '../stored/stored-user.ts'

/** The summaries of a user's groups, the most recently active first, and the positions of all. */
export interface SummaryTexts {
  /** `SummaryRow`s of the first groups. */
  readonly rows: string
  /** `StandingColumns` of all groups. */
  readonly standings: string
}

/** A user as stored, before the groups are parsed. */
export interface UserTexts extends Omit<LoadedUser, 'groups' | 'large' | 'summaries'> {
  readonly standings: string
  /** From `SummaryTexts`, if they were requested. */
  readonly rows?: string | undefined
}

type StandingColumns = readonly [
  groupIds: readonly string[],
  joinedSeqs: readonly number[],
  lastSeqs: readonly number[],
  inDoubt: readonly (0 | 1)[],
  large: readonly string[],
]

/** `SummaryTexts.standings` of a user who is in no group. */
export const noStandings = '[[],[],[],[],[]]'

type MemberRow = readonly [
  userId: string,
  name: string,
  picture: string,
  role: Member['role'],
  joinedAt: number,
  mutedUntil: number,
]

type SummaryRow = readonly [
  groupId: string,
  kind: StoredGroup['kind'],
  visibility: StoredGroup['visibility'],
  createdBy: string,
  createdAt: number,
  name: string | null,
  topic: string | null,
  avatarUrl: string | null,
  lastSeq: number,
  memberCount: number,
  unread: number,
  mentions: number,
  readSeq: number,
  quietUntil: number,
  /** For a direct chat. */
  members: readonly MemberRow[] | null,
  /** For a direct chat that the user has not accepted. PRV-2 */
  awaited: Person | null,
  activeAt: number,
]

/** Maximum size of a row's field names in a JSON answer. */
const NAMES_BYTES = 300

/** Maximum size of a row in an answer. */
export function summaryBytes(row: string): number {
  return Buffer.byteLength(row) + NAMES_BYTES
}

/** Converts the reader's answer to the result of the read. */
export function parseAnswer<N extends ReadName>(query: ReadQuery<N>, answer: unknown): Reads[N]['result'] {
  const { read } = query as ReadQuery
  if (read === 'summaries') return parseSummaries(answer as SummaryTexts) as Reads[N]['result']
  if (read === 'user' && answer !== null) return parseUser(answer as UserTexts) as Reads[N]['result']
  return answer as Reads[N]['result']
}

function parseSummaries({ rows, standings }: SummaryTexts): Summaries {
  const [ids, joinedSeqs, lastSeqs, inDoubt, large] = JSON.parse(standings) as StandingColumns
  const found = JSON.parse(rows) as SummaryRow[]
  return {
    groups: found.map(toSummary),
    keys: found.map(({ 0: groupId, 16: activeAt }) => [activeAt, groupId]),
    standings: ids.map(
      (id, i): Standing => [id, joinedSeqs[i] as number, lastSeqs[i] as number, inDoubt[i] as 0 | 1],
    ),
    large,
  }
}

function parseUser({ rows, standings, ...user }: UserTexts): LoadedUser {
  const summaries = parseSummaries({ rows: rows ?? '[]', standings })
  const groups = summaries.standings.map(([groupId, joinedSeq]) => [groupId, joinedSeq] as const)
  const { large } = summaries
  return { ...user, groups, large, summaries: rows === undefined ? undefined : summaries }
}

function toSummary(row: SummaryRow): GroupSummary {
  const [groupId, kind, visibility, createdBy, createdAt, name, topic, avatarUrl] = row
  const [, , , , , , , , lastSeq, memberCount, unread, mentions, readSeq, quietUntil, rows, awaited] = row
  const members = rows?.map(toMember)
  if (awaited) members?.push(awaitedMember({ ...awaited, name: awaited.name || awaited.userId }, createdAt))
  return {
    group: {
      groupId,
      kind,
      visibility,
      createdBy,
      createdAt,
      name: name ?? undefined,
      topic: topic ?? undefined,
      avatarUrl: avatarUrl ?? undefined,
      memberCount,
      lastSeq,
      members,
    },
    lastSeq,
    unread,
    mentions,
    readSeq,
    mutedUntil: quietUntil || undefined,
  }
}

function toMember([userId, name, picture, role, joinedAt, mutedUntil]: MemberRow): Member {
  return {
    userId,
    name: name || userId,
    role,
    joinedAt,
    mutedUntil: mutedUntil || undefined,
    picture: picture || undefined,
  }
}
