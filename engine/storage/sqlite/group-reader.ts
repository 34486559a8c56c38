/**
 * Group reader: the reads of one group, and the events of its log. A method for each read.
 */
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message } from '../../../protocol/records.ts'
import type { GroupRead, LogRead, ReadQuery, Reads } from '../../stored/reads.ts'
import {
  hasGroupTexts,
  hasUserNames,
  withContent,
  withGroupTexts,
  withUserNames,
} from '../../stored/stored-frame.ts'
import {
  type LoadedGroup,
  type LoggedEvent,
  type PostNumber,
  RECENT_EVENTS,
  REMEMBERED_TEMP_IDS,
} from '../../stored/stored-group.ts'
import { awaitedMemberOf } from './direct-members.ts'
import { type GroupRow, storedGroup } from './group-rows.ts'
import { type MessageRow, toFile, toMessage } from './message-rows.ts'
import type { EventRow, ReadStatements } from './read-statements.ts'

type Answers = { readonly [N in GroupRead | LogRead]: (query: ReadQuery<N>) => Reads[N]['result'] }

export class GroupReader implements Answers {
  readonly #sql: ReadStatements

  constructor(sql: ReadStatements) {
    this.#sql = sql
  }

  group({ groupId }: ReadQuery<'group'>): LoadedGroup {
    const row = this.#sql.group.get(groupId)
    const ceiling = this.#sql.ceiling.get(groupId) ?? 0
    if (!row) return { ...nothing, ceiling }
    const key = row.group_key
    const lastSeq = row.last_seq
    return {
      group: storedGroup(row),
      members: this.#sql.members.all(key).map((member) => ({
        userId: member.user_id,
        name: member.name || member.user_id,
        picture: member.picture,
        role: member.role,
        joinedSeq: member.joined_seq,
        joinedAt: member.joined_at,
        mutedUntil: member.muted_until,
        quietUntil: member.quiet_until,
        approached: member.approached === 1 || undefined,
      })),
      receipts: [
        ...this.#sql.formerReceipts.all(key, limits.membersPerGroup).reverse(),
        ...this.#sql.receipts.all(key),
      ],
      banned: this.#sql.banned.all(key),
      invited: this.#sql.invited.all(key),
      former: this.#sql.former.all(key),
      awaited: row.kind === 'direct' ? awaitedMemberOf(this.#sql, key) : null,
      blockers: row.kind === 'direct' ? this.#sql.blockers.all({ group: key }) : [],
      pins: this.#sql.pinned.all(key),
      lastSeq,
      ceiling,
      recent: this.#newestEvents(row, RECENT_EVENTS),
      tempIds: this.#sql.tempIds.all(key, REMEMBERED_TEMP_IDS).reverse(),
    }
  }

  newest({ groupIds }: ReadQuery<'newest'>): readonly number[] {
    return groupIds.map((groupId) => this.#sql.newest.get(groupId) ?? 0)
  }

  events({ groupId, after, upTo, limit }: ReadQuery<'events'>): readonly LoggedEvent[] {
    const group = this.#sql.group.get(groupId)
    if (group === undefined) return []
    const key = group.group_key
    const merged = merge(
      this.#sql.messagesUp.all(key, after, upTo + 1, limit).map((row) => ({
        seq: row.seq,
        message: toMessage(groupId, row),
      })),
      this.#sql.eventsUp.all(key, after, upTo, limit),
    )
    return merged.slice(0, limit).map((event) => this.#withTexts(group, event))
  }

  messages({ groupId, after, before, limit, newest }: ReadQuery<'messages'>): Reads['messages']['result'] {
    const key = this.#sql.groupKey.get(groupId)
    if (key === undefined) return { messages: [], gaps: [] }
    const rows = newest
      ? this.#sql.messagesDown.all(key, after, before, limit).reverse()
      : this.#sql.messagesUp.all(key, after, before, limit)
    // The gaps of the page: those between its outer messages, or up to the requested end.
    const full = rows.length === limit
    const from = newest && full ? (rows[0] as MessageRow).seq : after
    const to = !newest && full ? (rows[rows.length - 1] as MessageRow).seq : before
    return {
      messages: rows.map((row) => toMessage(groupId, row)),
      gaps: this.#sql.gaps.all(key, from, to, events.gap.code, limit).map((row) => {
        const gap = decodeEvent(row.frame)
        if (gap?.event !== 'gap') throw new Error(`event ${row.seq} of ${groupId} is not a gap`)
        return { seq: gap.fields.seq, from: gap.fields.from, to: gap.fields.to }
      }),
    }
  }

  message({ groupId, seq }: ReadQuery<'message'>): Message | null {
    const key = this.#sql.groupKey.get(groupId)
    const row = key === undefined ? undefined : this.#sql.messagesUp.get(key, seq - 1, seq + 1, 1)
    return row ? toMessage(groupId, row) : null
  }

  pins({ groupId }: ReadQuery<'pins'>): readonly Message[] {
    const key = this.#sql.groupKey.get(groupId)
    return key === undefined ? [] : this.#sql.pins.all(key).map((row) => toMessage(groupId, row))
  }

  file({ fileId }: ReadQuery<'file'>): Reads['file']['result'] {
    const row = this.#sql.file.get(fileId)
    const file = row && toFile(row)
    return file ? { file, uploadedBy: row.uploaded_by, shown: row.uses > 0 } : null
  }

  count({ groupId, after, upTo, cap }: ReadQuery<'count'>): number {
    const key = this.#sql.groupKey.get(groupId)
    return key === undefined ? 0 : (this.#sql.count.get(key, after, upTo, key, after, upTo, cap) ?? 0)
  }

  posts({ groupId, userId, seqs }: ReadQuery<'posts'>): readonly PostNumber[] {
    const group = this.#sql.groupKey.get(groupId)
    const user = this.#sql.user.get(userId)?.user_key ?? 0
    if (group === undefined) return []
    return seqs.flatMap((seq) => this.#sql.post.get({ group, user, seq }) ?? [])
  }

  senders({ groupId, userId, after, upTo, limit }: ReadQuery<'senders'>): Reads['senders']['result'] {
    const group = this.#sql.groupKey.get(groupId)
    const user = this.#sql.user.get(userId)?.user_key ?? 0
    return group === undefined ? [] : this.#sql.senders.all(group, after, upTo, user, limit).reverse()
  }

  blockers({ userId, groupId }: ReadQuery<'blockers'>): readonly string[] {
    return this.#sql.memberBlockers.all(groupId, userId)
  }

  #newestEvents(group: GroupRow, limit: number): readonly LoggedEvent[] {
    const { group_id: groupId, group_key: key } = group
    const before = Number.MAX_SAFE_INTEGER
    const messages = this.#sql.messagesDown.all(key, 0, before, limit).reverse()
    return merge(
      messages.map((row) => ({ seq: row.seq, message: toMessage(groupId, row) })),
      this.#sql.eventsDown.all(key, limit).reverse(),
    )
      .slice(-limit)
      .map((event) => this.#withTexts(group, event))
  }

  /** The event, with the texts that are not stored in its frame. // PRV-3 */
  #withTexts(group: GroupRow, event: LoggedEvent | EventRow): LoggedEvent {
    if ('message' in event) return event
    const { seq, code, frame } = event
    const target = event.target ?? undefined
    if (code === events.message_edited.code && target !== undefined) {
      const post = this.#sql.messagesUp.get(group.group_key, target - 1, target + 1, 1)
      const message = post && toMessage(group.group_id, post)
      return { seq, code, frame: withContent(frame, message), target }
    }
    const texts = hasGroupTexts(code) ? withGroupTexts(frame, storedGroup(group)) : frame
    if (!hasUserNames(code)) return { seq, code, frame: texts, target }
    const nameOf = (userId: string) => this.#sql.user.get(userId)?.name || undefined
    return { seq, code, frame: withUserNames(texts, nameOf), target }
  }
}

/** The state of a group that does not exist. */
const nothing: Omit<LoadedGroup, 'ceiling'> = {
  group: null,
  members: [],
  receipts: [],
  banned: [],
  invited: [],
  awaited: null,
  former: [],
  blockers: [],
  pins: [],
  lastSeq: 0,
  recent: [],
  tempIds: [],
}

/** Merges two ascending lists by seq. */
function merge(a: readonly LoggedEvent[], b: readonly EventRow[]): (LoggedEvent | EventRow)[] {
  const merged: (LoggedEvent | EventRow)[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    if (left && (!right || left.seq < right.seq)) {
      merged.push(left)
      i += 1
    } else if (right) {
      merged.push(right)
      j += 1
    }
  }
  return merged
}
