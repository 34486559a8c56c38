/**
 * Import record: one line of a file to import, as JSON, validated by the field types of the protocol.
 *
 * `docs/IMPORT.md` describes the format. Ids of groups and messages are those of the other system. A field
 * that is not in the table is an error: a misspelled one would be lost. `null` means absent.
 */
import * as v from 'valibot'
import { reactionKey } from '../../engine/actors/group/emoji.ts'
import { userId, userName } from '../../protocol/ids.ts'
import { limits } from '../../protocol/limits.ts'
import { emoji, groupKind, messageType, role, visibility } from '../../protocol/records.ts'
import { requests } from '../../protocol/requests.ts'
import {
  defineRecord,
  type FieldMap,
  type FieldsOf,
  list,
  optional,
  ref,
  text,
} from '../../protocol/schema.ts'
import { hasVisible } from '../../protocol/text-rules.ts'
import { objectSchema } from '../../protocol/validation.ts'

/** An older time is usually one in seconds. */
const EARLIEST = Date.parse('2000-01-01T00:00:00Z')
/** The clocks of two machines differ. */
const FUTURE_MS = 60_000
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/
const timeRule =
  'must be milliseconds since 1970 or a text such as "2024-05-17T12:00:00.000Z", from 2000 until now'

const oldId = text(1, limits.tempIdBytes)
const ImportedReaction = defineRecord('Reaction', { emoji, userIds: list(userId, limits.membersPerGroup) })
const { name: _, ...profile } = requests.update_group.fields

const fields = {
  user: { userId, name: userName, picture: optional(text(0, limits.urlBytes)) },
  group: {
    groupId: oldId,
    kind: optional(groupKind),
    createdBy: optional(userId),
    members: optional(list(userId, 2)),
    visibility: optional(visibility),
    name: requests.create_group.fields.name,
    topic: profile.topic,
    avatarUrl: profile.avatarUrl,
  },
  member: { groupId: oldId, userId, role: optional(role) },
  message: {
    groupId: oldId,
    id: oldId,
    senderId: userId,
    content: text(1, limits.contentBytes),
    type: optional(messageType),
    replyToId: optional(oldId),
    mentions: optional(list(userId, limits.mentions)),
    reactions: optional(list(ref(ImportedReaction), limits.reactionEmoji)),
    pinnedBy: optional(userId),
  },
  read: { groupId: oldId, userId, id: oldId },
  ban: { groupId: oldId, userId },
} as const satisfies Record<string, FieldMap>

/** The times of each record; those that may be absent end with `?`. */
const times = {
  user: [],
  group: ['createdAt'],
  member: ['joinedAt?'],
  message: ['createdAt', 'editedAt?', 'pinnedAt?'],
  read: [],
  ban: [],
} as const satisfies Record<RecordName, readonly string[]>

type RecordName = keyof typeof fields
type Of<N extends RecordName> = FieldsOf<(typeof fields)[N]>

export type UserRecord = Of<'user'> & { readonly record: 'user' }
export type GroupRecord = Of<'group'> & { readonly record: 'group'; readonly createdAt: number }
export type MemberRecord = Of<'member'> & { readonly record: 'member'; readonly joinedAt?: number }
export type MessageRecord = Of<'message'> & {
  readonly record: 'message'
  readonly createdAt: number
  readonly editedAt?: number
  readonly pinnedAt?: number
}
export type ReadRecord = Of<'read'> & { readonly record: 'read' }
export type BanRecord = Of<'ban'> & { readonly record: 'ban' }
export type ImportRecord = UserRecord | GroupRecord | MemberRecord | MessageRecord | ReadRecord | BanRecord

/** A record and the number of its line. */
export interface LineRecord {
  readonly record: ImportRecord
  readonly line: number
}

interface Row {
  readonly names: ReadonlySet<string>
  readonly schema: v.GenericSchema
  readonly times: readonly { readonly name: string; readonly required: boolean }[]
}

const rows = new Map(
  Object.entries(fields).map(([record, ofRecord]): [string, Row] => {
    const own = times[record as RecordName].map((time) => ({
      name: time.replace('?', ''),
      required: !time.endsWith('?'),
    }))
    return [
      record,
      {
        names: new Set([...Object.keys(ofRecord), ...own.map(({ name }) => name), 'record']),
        schema: objectSchema(ofRecord),
        times: own,
      },
    ]
  }),
)

/** The record of a line; a text says why it is not valid. */
export function parseRecord(line: string, now: number): ImportRecord | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return `is not JSON: ${(error as Error).message}`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object'
  const given = value as Record<string, unknown>
  const { record } = given
  const row = rows.get(record as string)
  if (!row) return `record must be one of ${[...rows.keys()].join(', ')}`
  for (const name in given) {
    if (!row.names.has(name)) return `${record} has no field ${JSON.stringify(name)}`
    if (given[name] === null) given[name] = undefined
  }
  for (const { name, required } of row.times) {
    const time = timeOf(given[name], now)
    if (time === undefined ? required : Number.isNaN(time)) return `${record}.${name} ${timeRule}`
    given[name] = time
  }
  // Apps of other backends write message types in capitals.
  if (record === 'message' && typeof given['type'] === 'string') given['type'] = given['type'].toLowerCase()
  const parsed = v.safeParse(row.schema, given, { abortEarly: true })
  if (!parsed.success) return `${record}.${refusalOf(parsed.issues[0])}`
  const found = given as unknown as ImportRecord
  if (found.record === 'message' && !hasVisible(found.content)) {
    return 'message.content must contain at least one visible character'
  }
  // RCT-1
  const wrong = found.record === 'message' && found.reactions?.find((one) => !reactionKey(one.emoji))
  if (wrong)
    return `message.reactions ${JSON.stringify(wrong.emoji)} is not an emoji or a name such as :wave:`
  return found
}

/** In milliseconds; undefined if it is absent, NaN if it is not a time of the past. */
function timeOf(value: unknown, now: number): number | undefined {
  if (value === undefined) return undefined
  const time = typeof value === 'string' && ISO_TIME.test(value) ? Date.parse(value) : value
  return Number.isSafeInteger(time) && (time as number) >= EARLIEST && (time as number) <= now + FUTURE_MS
    ? (time as number)
    : Number.NaN
}

function refusalOf(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((part) => String(part.key)).join('.')
  return `${path} ${issue.received === 'undefined' ? 'is missing' : issue.message}`
}
