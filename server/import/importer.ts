/**
 * Importer: writes the records of another system as if they had been written here, at their times.
 *
 * A group begins with `group_created`, each member with `user_joined_group`, and the messages follow in the
 * order of the file, all with numbers of the group (IDN-5). The id in the other system becomes the `tempId` of
 * a message, and is stored so that no message is imported twice (IDM-1). One call of `apply` is one
 * transaction. Memory: the groups of the last chunks, at most `MAX_OPEN_GROUPS` before a chunk.
 */
import { statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { reactionKey } from '../../engine/actors/group/emoji.ts'
import type { EngineLogger } from '../../engine/base/engine-logger.ts'
import { Contacts } from '../../engine/storage/sqlite/contacts.ts'
import {
  type DirectoryLock,
  lockDirectory,
  openWriter,
  walPath,
} from '../../engine/storage/sqlite/database.ts'
import { type GroupPosition, ImportedRows } from '../../engine/storage/sqlite/imported-rows.ts'
import { prepareReads } from '../../engine/storage/sqlite/read-statements.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import { DIRECT_PREFIX, type Role, type StoredGroup } from '../../engine/stored/stored-group.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { type EventFields, type EventName, events } from '../../protocol/events.ts'
import { groupId as groupIdType, toMessageId } from '../../protocol/ids.ts'
import { limits } from '../../protocol/limits.ts'
import type { Reaction } from '../../protocol/records.ts'
import { refusalOf } from '../../protocol/validation.ts'
import { lineError } from './import-error.ts'
import type {
  BanRecord,
  GroupRecord,
  ImportRecord,
  LineRecord,
  MemberRecord,
  MessageRecord,
  ReadRecord,
} from './import-record.ts'
import { ReadMarks } from './read-marks.ts'

const MAX_OPEN_GROUPS = 10_000
/** Entries that are written together, plus those of one group. */
const WRITTEN_AT_ONCE = 256
/** Above this size the WAL is moved into the file. */
const MAX_WAL_BYTES = 64 * 1_048_576

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

/** A group that records are added to. */
interface OpenGroup extends Pick<GroupPosition, 'key' | 'groupId' | 'kind' | 'createdAt'> {
  /** Its id in the file. */
  readonly oldId: string
  memberCount: number
  lastSeq: number
  lastAt: number
  pins: number
  /** Numbers up to here may have been assigned before a crash. */
  readonly ceiling: number
  /** Whether something was imported into it since it was opened. */
  touched: boolean
  /** Messages that are not written yet. */
  waiting: MessageRecord[]
}

export class Importer {
  readonly counts: ImportCounts = {
    messages: 0,
    groups: 0,
    members: 0,
    repeated: 0,
    unordered: 0,
    unknown: 0,
    dropped: 0,
  }
  readonly #dataDir: string
  readonly #lock: DirectoryLock
  readonly #db: Database
  readonly #writer: Writer
  readonly #rows: ImportedRows
  readonly #contacts: Contacts
  readonly #marks: ReadMarks
  /** By the id in the file. */
  readonly #groups = new Map<string, OpenGroup>()
  readonly #groupsByKey = new Map<number, OpenGroup>()
  /** What is to be written next. */
  #entries: LogEntry[] = []
  /** The members in `#entries`, by group key and user id. */
  readonly #joined = new Set<string>()
  /** Messages wait and are written group by group, because each group has its own pages. */
  readonly #waiting = new Set<OpenGroup>()
  /** The senders of the messages in `#entries`, by message id. */
  readonly #senders = new Map<string, string>()

  /** Opens the data folder, and creates it if it does not exist. @throws StorageError if it is in use */
  constructor(dataDir: string, now: number, logger: EngineLogger) {
    this.#dataDir = dataDir
    this.#lock = lockDirectory(dataDir)
    try {
      this.#db = openWriter(dataDir, 'process')
    } catch (error) {
      this.#lock.release()
      throw error
    }
    this.#writer = new Writer(this.#db)
    this.#writer.eraseOld(logger)
    this.#rows = new ImportedRows(this.#db)
    this.#contacts = new Contacts(prepareReads(this.#db))
    this.#marks = new ReadMarks(this.#rows, now)
  }

  /** Imports all records, or none if one of them is refused. @throws ImportError that names the line */
  apply(records: Iterable<LineRecord>): void {
    const before = { ...this.counts }
    if (this.#groups.size > MAX_OPEN_GROUPS) this.#forgetGroups()
    try {
      this.#db
        .transaction(() => {
          for (const { record, line } of records) this.#apply(record, line)
          this.#flush()
        })
        .immediate()
    } catch (error) {
      this.#forgetGroups()
      Object.assign(this.counts, before)
      throw error
    }
    this.#checkpoint()
  }

  /** Sets the read marks, after the last record: what was imported counts as read. */
  finish(onGroup: (done: number) => void): void {
    for (let done = 0, more = true; more; ) {
      const step = this.#db.transaction(() => this.#marks.step((entries) => this.#writer.commit(entries)))
      const groups = step.immediate()
      done += groups
      more = groups > 0
      onGroup(done)
      this.#checkpoint()
    }
    this.#writer.settle()
  }

  /** The number of groups that have members, but no admin. */
  withoutAdmin(): number {
    return this.#rows.withoutAdmin()
  }

  close(): void {
    this.#writer.checkpoint()
    this.#writer.close()
    this.#lock.release()
  }

  #apply(record: ImportRecord, line: number): void {
    switch (record.record) {
      case 'user':
        // A newer name may have come with a token. IDN-2
        if (this.#rows.hasName(record.userId)) return
        this.#entries.push({
          type: 'user',
          userId: record.userId,
          name: record.name,
          picture: record.picture ?? '',
        })
        return this.#flush()
      case 'group':
        return this.#applyGroup(record, line)
      case 'member':
        return this.#applyMember(record, line)
      case 'message':
        return this.#wait(record, line)
      case 'read':
        return this.#applyRead(record, line)
      case 'ban':
        return this.#applyBan(record, line)
    }
  }

  #applyGroup(record: GroupRecord, line: number): void {
    const { groupId: oldId, createdAt } = record
    const group = this.#groupOf(record, line)
    const { groupId, createdBy } = group
    const found = this.#find(oldId)
    if (found && found.groupId !== groupId) {
      throw lineError(line, `group.groupId ${oldId} is that of another group`)
    }
    const known = this.#rows.byId(groupId)
    if (known) {
      this.#rows.touch(oldId, known.key, null)
      return
    }
    this.#entries.push({ type: 'group', group })
    this.#flush()
    const open = this.#open(oldId, this.#rows.byId(groupId) as GroupPosition)
    const seq = this.#nextSeq(open)
    const members = group.kind === 'direct' ? (record.members ?? []) : []
    for (const userId of members) this.#addMember(open, userId, 'admin', seq, createdAt)
    const listed = members.map((userId) => ({
      userId,
      name: userId,
      role: 'admin' as const,
      joinedAt: createdAt,
    }))
    const shown = { ...group, memberCount: members.length, lastSeq: seq, members: listed }
    this.#event(open, seq, createdAt, 'group_created', {
      group: shown,
      groupId,
      seq,
      by: createdBy,
      at: createdAt,
    })
    this.#flush()
    this.counts.groups += 1
  }

  /** @throws ImportError if the record is not that of a group */
  #groupOf(record: GroupRecord, line: number): StoredGroup {
    const { groupId, kind = 'group', createdAt, members } = record
    if (kind === 'direct') {
      const [one, other] = members ?? []
      if (one === undefined || other === undefined || one === other) {
        throw lineError(line, 'group.members of a direct chat must be its two users')
      }
      const createdBy = record.createdBy ?? one
      return {
        groupId: this.#contacts.direct(one, other),
        kind,
        visibility: 'private',
        createdBy,
        createdAt,
      }
    }
    const refusal = refusalOf(groupIdType, groupId)
    if (refusal !== undefined) throw lineError(line, `group.groupId ${refusal}`)
    // IDN-3
    if (groupId.startsWith(DIRECT_PREFIX)) {
      throw lineError(line, `group.groupId must not begin with ${DIRECT_PREFIX}`)
    }
    if (members) throw lineError(line, 'group.members is for direct chats; each member of a group has a line')
    if (record.createdBy === undefined) throw lineError(line, 'group.createdBy is missing')
    const { createdBy, visibility = 'private', name, topic, avatarUrl } = record
    return { groupId, kind, visibility, createdBy, createdAt, name, topic, avatarUrl }
  }

  #applyMember({ groupId, userId, role, joinedAt }: MemberRecord, line: number): void {
    const group = this.#groupIn('member', groupId, line)
    if (group.waiting.length > 0) this.#flush()
    // A user who has left or was banned since does not return by an import. GRP-3
    if (this.#isKnown(group, userId)) return
    if (group.kind === 'direct') throw lineError(line, 'member: a direct chat has only its two users')
    if (group.memberCount >= limits.membersPerGroup) {
      throw lineError(line, `member: group ${groupId} has ${limits.membersPerGroup} members, the most`)
    }
    const seq = this.#nextSeq(group)
    const at = joinedAt ?? group.createdAt
    this.#addMember(group, userId, role ?? this.#rows.defaultRole(group.key, userId), seq, at)
    this.#event(group, seq, at, 'user_joined_group', {
      userId,
      userName: userId,
      groupId: group.groupId,
      seq,
    })
    this.#joined.add(`${group.key} ${userId}`)
    if (this.#entries.length >= WRITTEN_AT_ONCE) this.#write()
    this.counts.members += 1
  }

  #applyBan({ groupId, userId }: BanRecord, line: number): void {
    const group = this.#groupIn('ban', groupId, line)
    if (group.kind === 'direct') throw lineError(line, 'ban: a direct chat has no bans')
    this.#flush()
    // GRP-3
    if (this.#rows.member(group.key, userId)) {
      this.counts.dropped += 1
      return
    }
    this.#entries.push({ type: 'ban', groupId: group.groupId, userId })
    this.#flush()
  }

  /** Whether the user is a member, has left, or is banned. */
  #isKnown({ key }: OpenGroup, userId: string): boolean {
    return this.#joined.has(`${key} ${userId}`) || this.#rows.isKnown(key, userId)
  }

  #wait(record: MessageRecord, line: number): void {
    const group = this.#groupIn('message', record.groupId, line)
    group.waiting.push(record)
    this.#waiting.add(group)
  }

  #applyMessage(group: OpenGroup, record: MessageRecord): void {
    const { id, senderId, content, createdAt, editedAt, replyToId } = record
    const { groupId, key } = group
    if (!this.#rows.addMessage(key, id, nextOf(group))) {
      this.counts.repeated += 1
      return
    }
    const repliedTo = replyToId === undefined ? undefined : this.#message(group, replyToId)
    if (replyToId !== undefined && !repliedTo) this.counts.unknown += 1
    const seq = this.#nextSeq(group)
    const message = {
      messageId: toMessageId(groupId, seq),
      groupId,
      seq,
      senderId,
      senderName: senderId,
      type: record.type ?? 'text',
      content,
      createdAt,
      tempId: id,
      replyToId: repliedTo && toMessageId(groupId, repliedTo.seq),
      mentions: mentionsOf(record, repliedTo?.senderId),
    }
    this.#entries.push({ type: 'message', message })
    const reactions = reactionsOf(record)
    const pinnedAt = this.#mayPin(group, record) ? record.pinnedAt : undefined
    if (editedAt !== undefined || reactions || pinnedAt !== undefined) {
      this.#entries.push({ type: 'change', message: { ...message, editedAt, reactions, pinnedAt } })
    }
    if (pinnedAt !== undefined) {
      const { messageId } = message
      const pinSeq = this.#nextSeq(group)
      const by = record.pinnedBy ?? senderId
      this.#event(
        group,
        pinSeq,
        pinnedAt,
        'message_pinned',
        { messageId, groupId, seq: pinSeq, by, at: pinnedAt },
        seq,
      )
    }
    this.#senders.set(message.messageId, senderId)
    if (createdAt < group.lastAt) this.counts.unordered += 1
    group.lastAt = Math.max(group.lastAt, createdAt)
    this.counts.messages += 1
  }

  #mayPin(group: OpenGroup, { pinnedAt }: MessageRecord): boolean {
    if (pinnedAt === undefined) return false
    if (group.pins >= limits.pinnedMessages) {
      this.counts.dropped += 1
      return false
    }
    group.pins += 1
    return true
  }

  #applyRead({ groupId, userId, id }: ReadRecord, line: number): void {
    const group = this.#groupIn('read', groupId, line)
    this.#flush()
    const read = this.#message(group, id)
    if (!read) {
      this.counts.unknown += 1
      return
    }
    const member = this.#rows.member(group.key, userId)
    if (!member || member.readSeq >= read.seq) return
    this.#entries.push(this.#marks.readUpTo(group.groupId, member, read.seq))
    this.#flush()
  }

  /** The number and the sender of an imported message. */
  #message({ key, groupId }: OpenGroup, oldId: string) {
    const seq = this.#rows.seqOf(key, oldId)
    if (seq === undefined) return undefined
    const senderId = this.#senders.get(toMessageId(groupId, seq)) ?? this.#rows.senderOf(key, seq)
    return { seq, senderId }
  }

  #addMember(group: OpenGroup, userId: string, role: Role, joinedSeq: number, joinedAt: number): void {
    const { groupId } = group
    const member = { userId, role, joinedSeq, joinedAt, mutedUntil: 0, quietUntil: 0 }
    this.#entries.push({ type: 'member', groupId, member }, { type: 'uninvite', groupId, userId })
    group.memberCount += 1
  }

  #event<N extends EventName>(
    { groupId }: OpenGroup,
    seq: number,
    at: number,
    name: N,
    fields: EventFields<N>,
    target?: number,
  ): void {
    const { code } = events[name]
    this.#entries.push({ type: 'event', groupId, seq, code, at, frame: encodeEvent(name, 0, fields), target })
  }

  #groupIn(record: string, oldId: string, line: number): OpenGroup {
    const group = this.#find(oldId)
    if (!group) {
      throw lineError(line, `${record}: there is no group ${oldId}; its line must be before its members`)
    }
    return group
  }

  #find(oldId: string): OpenGroup | undefined {
    const open = this.#groups.get(oldId)
    if (open) return open
    this.#flush()
    const stored = this.#rows.group(oldId)
    return stored && this.#open(oldId, stored)
  }

  #open(oldId: string, position: GroupPosition): OpenGroup {
    const { key, groupId, kind, createdAt, memberCount, lastSeq, activeAt } = position
    // A direct chat may have several ids in the file.
    const known = this.#groupsByKey.get(key)
    if (known) {
      this.#groups.set(oldId, known)
      return known
    }
    const open: OpenGroup = {
      oldId,
      key,
      groupId,
      kind,
      createdAt,
      memberCount,
      lastSeq,
      lastAt: activeAt,
      pins: this.#rows.pins(key),
      ceiling: this.#rows.ceiling(groupId),
      touched: false,
      waiting: [],
    }
    this.#groups.set(oldId, open)
    this.#groupsByKey.set(key, open)
    return open
  }

  /** Assigns the next number. Numbers that a crash has left in doubt are reported first. GAP-1 */
  #nextSeq(group: OpenGroup): number {
    const { oldId, key, groupId, lastSeq, ceiling } = group
    const next = nextOf(group)
    if (!group.touched) this.#rows.touch(oldId, key, lastSeq)
    group.touched = true
    if (next > lastSeq + 1) {
      const gap = { groupId, seq: next - 1, from: lastSeq + 1, to: ceiling }
      this.#event(group, next - 1, this.#marks.now, 'gap', gap)
    }
    group.lastSeq = next
    return next
  }

  /** Writes everything that waits. */
  #flush(): void {
    for (const group of this.#waiting) {
      for (const record of group.waiting) this.#applyMessage(group, record)
      group.waiting = []
      if (this.#entries.length >= WRITTEN_AT_ONCE) this.#write()
    }
    this.#waiting.clear()
    this.#write()
  }

  #write(): void {
    if (this.#entries.length === 0) return
    const entries = this.#entries
    this.#entries = []
    this.#senders.clear()
    this.#joined.clear()
    this.#writer.commit(entries)
  }

  #forgetGroups(): void {
    this.#groups.clear()
    this.#groupsByKey.clear()
    this.#waiting.clear()
    this.#joined.clear()
    this.#entries = []
  }

  #checkpoint(): void {
    const wal = statSync(walPath(this.#dataDir), { throwIfNoEntry: false })
    if ((wal?.size ?? 0) > MAX_WAL_BYTES) this.#writer.checkpoint()
  }
}

/** The next number of the group: after a crash, above those in doubt and the number of their `gap`. */
function nextOf({ lastSeq, ceiling }: OpenGroup): number {
  return ceiling > lastSeq ? ceiling + 2 : lastSeq + 1
}

/** With one record for each emoji, in its recommended form. RCT-1 */
function reactionsOf({ reactions }: MessageRecord): readonly Reaction[] | undefined {
  if (!reactions) return undefined
  const users = new Map<string, Set<string>>()
  for (const { emoji, userIds } of reactions) {
    const key = reactionKey(emoji) ?? emoji
    users.set(key, new Set([...(users.get(key) ?? []), ...userIds]))
  }
  const found = Array.from(users, ([emoji, ids]) => ({ emoji, userIds: [...ids], count: ids.size }))
  const given = found.filter(({ count }) => count > 0)
  return given.length > 0 ? given : undefined
}

/** MEN-1: a reply mentions the sender of what it replies to. */
function mentionsOf(
  { mentions = [], senderId }: MessageRecord,
  repliedId: string | undefined,
): readonly string[] | undefined {
  if (mentions.length === 0 && repliedId === undefined) return undefined
  const all = new Set(mentions)
  if (repliedId !== undefined && repliedId !== senderId) all.add(repliedId)
  return all.size > 0 ? [...all] : undefined
}
