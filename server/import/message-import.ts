/**
 * Message import: messages with their replies, mentions, reactions and pins.
 *
 * Messages wait and are written group by group, because each group has its own pages. The id in the other system
 * becomes the `tempId`, and is stored so that no message is imported twice (IDM-1).
 */
import { reactionKey } from '../../engine/actors/group/emoji.ts'
import type { ImportedRows } from '../../engine/storage/sqlite/imported-rows.ts'
import { toMessageId } from '../../protocol/ids.ts'
import { limits } from '../../protocol/limits.ts'
import type { Reaction } from '../../protocol/records.ts'
import type { ImportBatch } from './import-batch.ts'
import type { ImportCounts } from './import-counts.ts'
import type { MessageRecord } from './import-record.ts'
import { nextOf, type OpenGroup, type OpenGroups } from './open-groups.ts'

export class MessageImport {
  readonly #rows: ImportedRows
  readonly #batch: ImportBatch
  readonly #groups: OpenGroups
  readonly #counts: ImportCounts
  readonly #waiting = new Set<OpenGroup>()

  constructor(rows: ImportedRows, batch: ImportBatch, groups: OpenGroups, counts: ImportCounts) {
    this.#rows = rows
    this.#batch = batch
    this.#groups = groups
    this.#counts = counts
  }

  wait(record: MessageRecord, line: number): void {
    const group = this.#groups.require('message', record.groupId, line)
    group.waiting.push(record)
    this.#waiting.add(group)
  }

  /** Adds the messages that wait to the batch. */
  flush(): void {
    for (const group of this.#waiting) {
      for (const record of group.waiting) this.#apply(group, record)
      group.waiting = []
      this.#batch.writeIfLarge()
    }
    this.#waiting.clear()
  }

  /** Discards what waits: the transaction is rolled back. */
  forget(): void {
    this.#waiting.clear()
  }

  /** The number and the sender of an imported message. */
  find({ key, groupId }: OpenGroup, oldId: string) {
    const seq = this.#rows.seqOf(key, oldId)
    if (seq === undefined) return undefined
    const senderId = this.#batch.senders.get(toMessageId(groupId, seq)) ?? this.#rows.senderOf(key, seq)
    return { seq, senderId }
  }

  #apply(group: OpenGroup, record: MessageRecord): void {
    const { id, senderId, content, createdAt, editedAt, replyToId } = record
    const { groupId, key } = group
    if (!this.#rows.addMessage(key, id, nextOf(group))) {
      this.#counts.repeated += 1
      return
    }
    const repliedTo = replyToId === undefined ? undefined : this.find(group, replyToId)
    if (replyToId !== undefined && !repliedTo) this.#counts.unknown += 1
    const seq = this.#groups.nextSeq(group)
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
    this.#batch.add({ type: 'message', message })
    const reactions = reactionsOf(record)
    const pinnedAt = this.#mayPin(group, record) ? record.pinnedAt : undefined
    if (editedAt !== undefined || reactions || pinnedAt !== undefined) {
      this.#batch.add({ type: 'change', message: { ...message, editedAt, reactions, pinnedAt } })
    }
    if (pinnedAt !== undefined) {
      const { messageId } = message
      const pinSeq = this.#groups.nextSeq(group)
      const by = record.pinnedBy ?? senderId
      const pin = { messageId, groupId, seq: pinSeq, by, at: pinnedAt }
      this.#batch.event(groupId, pinSeq, pinnedAt, 'message_pinned', pin, seq)
    }
    this.#batch.senders.set(message.messageId, senderId)
    if (createdAt < group.lastAt) this.#counts.unordered += 1
    group.lastAt = Math.max(group.lastAt, createdAt)
    this.#counts.messages += 1
  }

  #mayPin(group: OpenGroup, { pinnedAt }: MessageRecord): boolean {
    if (pinnedAt === undefined) return false
    if (group.pins >= limits.pinnedMessages) {
      this.#counts.dropped += 1
      return false
    }
    group.pins += 1
    return true
  }
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
