/**
 * Message rows: the rows of posts, with the names and files that belong to them.
 *
 * A row is the current state of a post: an edit has replaced its content, a deletion or a recall has
 * emptied it. Statements select `messageColumns`; `toMessage` converts a row.
 */

import { toMessageId } from '../../../protocol/ids.ts'
import type { File, Message, Reaction } from '../../../protocol/records.ts'
import { fileUrl } from '../../stored/file-address.ts'

export interface MessageRow extends FileRow {
  readonly seq: number
  readonly sender_id: string
  readonly sender_name: string
  readonly type: Message['type']
  readonly content: string
  readonly created_at: number
  readonly temp_id: string | null
  readonly reply_seq: number | null
  readonly mentions: string | null
  readonly edited_at: number | null
  readonly deleted_at: number | null
  readonly deleted_by: string | null
  readonly recalled_at: number | null
  readonly reactions: string | null
  readonly pinned_at: number | null
}

/** The columns of table files; all null if a post shows no file. */
export interface FileRow {
  readonly file_id: string | null
  readonly file_name: string | null
  readonly mime_type: string | null
  readonly size: number | null
  readonly sha256: string | null
  readonly width: number | null
  readonly height: number | null
  readonly duration_ms: number | null
}

/** The columns of a statement on files `f`. */
export const fileColumns =
  'f.file_id, f.name AS file_name, f.mime_type, f.size, f.sha256, f.width, f.height, f.duration_ms'

/** The columns of a statement on messages `m`, their senders `u` and files `f`. */
export const messageColumns = `m.seq, u.user_id AS sender_id, u.name AS sender_name, m.type, m.content,
  m.created_at, m.temp_id, m.reply_seq, m.mentions, m.edited_at, m.deleted_at, m.deleted_by, m.recalled_at,
  m.reactions, m.pinned_at, ${fileColumns}
  FROM messages m JOIN users u ON u.user_key = m.sender_key LEFT JOIN files f ON f.file_id = m.file_id`

/** Converts a row to a post. */
export function toMessage(groupId: string, row: MessageRow): Message {
  return {
    messageId: toMessageId(groupId, row.seq),
    groupId,
    seq: row.seq,
    senderId: row.sender_id,
    senderName: row.sender_name || row.sender_id,
    type: row.type,
    content: row.content,
    createdAt: row.created_at,
    tempId: row.temp_id ?? undefined,
    replyToId: row.reply_seq === null ? undefined : toMessageId(groupId, row.reply_seq),
    file: toFile(row) ?? undefined,
    mentions: row.mentions === null ? undefined : (JSON.parse(row.mentions) as string[]),
    editedAt: row.edited_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    deletedBy: row.deleted_by ?? undefined,
    recalledAt: row.recalled_at ?? undefined,
    reactions: row.reactions === null ? undefined : parseReactions(row.reactions),
    pinnedAt: row.pinned_at ?? undefined,
  }
}

/** Rows of 0.1.0 have no counts. */
function parseReactions(stored: string): readonly Reaction[] {
  const reactions = JSON.parse(stored) as readonly Omit<Reaction, 'count'>[]
  return reactions.map(({ emoji, userIds }) => ({ emoji, userIds, count: userIds.length }))
}

/** Converts the file columns of a row; null if there is no file. */
export function toFile(row: FileRow): File | null {
  if (row.file_id === null) return null
  return {
    fileId: row.file_id,
    url: fileUrl(row.file_id),
    fileName: row.file_name ?? '',
    mimeType: row.mime_type ?? '',
    size: row.size ?? 0,
    sha256: row.sha256 ?? '',
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    durationMs: row.duration_ms ?? undefined,
  }
}
