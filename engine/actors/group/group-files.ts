/**
 * Group files: the files of a group, and who may download them.
 *
 * A file belongs to one group. Before a message shows it, only its uploader may download it; afterwards
 * every member; nobody once the last message that showed it was deleted or recalled. The log may lag
 * behind recent additions, so memory is checked first.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { File } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, answerCommitted, append, type Effect, type Effects, read } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import type { GroupState } from './group-state.ts'
import { messageInMemory } from './known-messages.ts'
import { callerAsMember } from './permissions.ts'

/** Limit of new files in memory; the oldest is committed long before it is reached. */
const MAX_NEW = 64
/** After this time the log contains a new file in any case. */
const NEW_MS = 600_000

/** A file and its uploader. */
export interface GroupFile {
  readonly file: File
  readonly uploadedBy: string
}

/** A recently added file that no message has shown yet. */
export interface NewFile extends GroupFile {
  /** Time of the steady clock. */
  readonly addedAt: number
}

/** The bytes of a file are stored: adds it to the group, once. */
export function addFile(
  group: GroupState,
  { by, file, again }: Extract<GroupMail, { type: 'add_file' }>,
  now: number,
): Effects {
  callerAsMember(group, by)
  const { fileId } = file
  if (!again) return add(group, by, file, now)
  // The same upload was completed before, and the group may not have been notified.
  if (fileFor(group, fileId)) return [answerCommitted(by, 'file_uploaded', file)]
  return [
    read({ read: 'file', fileId }, by, (stored, later) => {
      callerAsMember(group, by)
      if (stored || fileFor(group, fileId)) return [answerCommitted(by, 'file_uploaded', file)]
      return add(group, by, file, later)
    }),
  ]
}

/** Looks up a file. The result also decides whether its bytes may be downloaded. */
export function getFile(group: GroupState, by: Caller, { fileId }: RequestFields<'get_file'>): Effects {
  callerAsMember(group, by)
  const shown = shownInMemory(group, fileId)
  if (shown) return [answer(by, 'file', { file: shown.file })]
  const added = newFile(group, fileId)
  if (added) return [answerOwn(by, added)]
  return [
    read({ read: 'file', fileId }, by, (stored) => {
      callerAsMember(group, by)
      if (!stored) throw noSuchFile()
      return [stored.shown ? answer(by, 'file', { file: stored.file }) : answerOwn(by, stored)]
    }),
  ]
}

/** A file that may be missing in the log: recently added, or shown by one of the newest posts. */
export function fileFor(group: GroupState, fileId: string): GroupFile | undefined {
  return group.newFiles.get(fileId) ?? shownInMemory(group, fileId)
}

/** A message shows the file. From now on, messages decide who may download it. */
export function fileShown(group: GroupState, fileId: string): void {
  group.newFiles.delete(fileId)
}

function add(group: GroupState, by: Caller, file: File, now: number): Effects {
  const uploadedBy = by.userId
  for (const [fileId, { addedAt }] of group.newFiles) {
    if (group.newFiles.size < MAX_NEW && addedAt + NEW_MS > group.steadyNow) break
    group.newFiles.delete(fileId)
  }
  group.newFiles.set(file.fileId, { file, uploadedBy, addedAt: group.steadyNow }) // TIM-1
  return [
    append({ type: 'file', groupId: group.groupId, file, uploadedBy, at: now }),
    answerCommitted(by, 'file_uploaded', file),
  ]
}

function newFile(group: GroupState, fileId: string): NewFile | undefined {
  const added = group.newFiles.get(fileId)
  return added && added.addedAt + NEW_MS > group.steadyNow ? added : undefined
}

/** Only the uploader may post a file, so that the sender of a message owns its file. */
function shownInMemory(group: GroupState, fileId: string): GroupFile | undefined {
  const { recent, lastSeq } = group
  for (const { seq } of recent.range(recent.floor - 1, lastSeq, Number.POSITIVE_INFINITY)) {
    const message = messageInMemory(group, seq)
    if (message?.file?.fileId === fileId) return { file: message.file, uploadedBy: message.senderId }
  }
  return undefined
}

function answerOwn(by: Caller, { file, uploadedBy }: GroupFile): Effect {
  if (uploadedBy !== by.userId) throw noSuchFile()
  return answer(by, 'file', { file })
}

function noSuchFile(): ChatError {
  return new ChatError('not_found', 'no such file', { field: 'fileId' })
}
