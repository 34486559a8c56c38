/**
 * The store for tests: a writer and a reader of one real file, and entries to write.
 */
import { onTestFinished } from 'vitest'
import { openReader, openWriter } from '../../engine/storage/sqlite/database.ts'
import { Reader } from '../../engine/storage/sqlite/reader.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import { fileUrl } from '../../engine/stored/file-address.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import type { StoredGroup, StoredMember } from '../../engine/stored/stored-group.ts'
import type { File, Message } from '../../protocol/records.ts'
import { temporaryFolder } from './engines.ts'
import { aPost } from './groups.ts'

type Entry<T extends LogEntry['type']> = Extract<LogEntry, { type: T }>

/** Both are closed after the test. */
export function aStore(dataDir = temporaryFolder()) {
  const writer = new Writer(openWriter(dataDir, 'process'))
  const reader = new Reader(openReader(dataDir))
  onTestFinished(() => {
    reader.close()
    writer.close()
  })
  return { writer, reader, dataDir }
}

export function aGroupEntry(groupId: string, change: Partial<StoredGroup> = {}): Entry<'group'> {
  const group = { groupId, kind: 'group', visibility: 'private', createdBy: 'ana', createdAt: 0 } as const
  return { type: 'group', group: { ...group, ...change } }
}

export function aMemberEntry(
  groupId: string,
  userId: string,
  change: Partial<StoredMember> = {},
): Entry<'member'> {
  const member = { userId, role: 'member', joinedSeq: 1, joinedAt: 0, mutedUntil: 0, quietUntil: 0 } as const
  return { type: 'member', groupId, member: { ...member, ...change } }
}

/** A message of the group `g` by Ana, unless overridden. */
export function aPostEntry(seq: number, change: Partial<Message> = {}): Entry<'message'> {
  return { type: 'message', message: { ...aPost(seq), ...change } }
}

export function aUserEntry(userId: string, name: string): Entry<'user'> {
  return { type: 'user', userId, name, picture: '' }
}

/** A file of the group `g`. */
export function aFile(change: Partial<File> = {}): File {
  const fileId = change.fileId ?? 'g:f0123456789abcdef'
  return {
    fileId,
    url: fileUrl(fileId),
    fileName: 'foto.png',
    mimeType: 'image/png',
    size: 3,
    sha256: 'a'.repeat(64),
    ...change,
  }
}

export function aFileEntry(file: File, uploadedBy = 'ana'): Entry<'file'> {
  return { type: 'file', groupId: 'g', file, uploadedBy, at: 0 }
}
