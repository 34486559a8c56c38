/**
 * Uploads: files for a group, in one frame or in chunks that can be resumed.
 *
 * The user's actor checks that the uploader is a member, has the bytes written to the disk, and notifies
 * the group once they are stored. The group's actor checks again, adds the file and answers.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects, files, read, tellGroup } from '../effects.ts'
import type { StoredUpload, UploadProgress } from '../file-calls.ts'
import { noSuchGroup } from '../no-such-group.ts'
import type { UserState } from './user-state.ts'

export function uploadFile(
  user: UserState,
  by: Caller,
  fields: RequestFields<'upload_file'>,
  now: number,
  newId: () => string,
): Effects {
  const { groupId, fileName, file, fileSize, mimeType } = fields
  requireMember(user, groupId)
  if (file.length !== fileSize) {
    throw new ChatError('bad_request', `fileSize must equal the length of file (${file.length})`, {
      field: 'fileSize',
    })
  }
  const announced = { groupId, fileName, size: fileSize, mimeType }
  const { userId } = user
  // A view into the batch that contained it, which is not valid after the read.
  const bytes = new Uint8Array(file)
  return [
    read({ read: 'storedBytes', userId }, by, (storedBytes) => [
      files(
        { call: 'store', userId, announced, bytes, storedBytes, newId: newId(), now },
        by,
        addFileFor(by),
      ),
    ]),
  ]
}

export function uploadBegin(
  user: UserState,
  by: Caller,
  fields: RequestFields<'upload_begin'>,
  now: number,
  newId: () => string,
): Effects {
  const { groupId, fileName, fileSize, mimeType, sha256, uploadId } = fields
  requireMember(user, groupId)
  const announced = { groupId, fileName, size: fileSize, mimeType, sha256 }
  const { userId } = user
  return [
    read({ read: 'storedBytes', userId }, by, (storedBytes) => [
      files(
        { call: 'begin', userId, announced, uploadId, storedBytes, newId: newId(), now },
        by,
        progressTo(by),
      ),
    ]),
  ]
}

export function uploadChunk(
  user: UserState,
  by: Caller,
  { uploadId, offset, chunk }: RequestFields<'upload_chunk'>,
): Effects {
  return [files({ call: 'append', userId: user.userId, uploadId, offset, bytes: chunk }, by, progressTo(by))]
}

export function uploadEnd(
  user: UserState,
  by: Caller,
  { uploadId }: RequestFields<'upload_end'>,
  now: number,
  newId: () => string,
): Effects {
  return [files({ call: 'end', userId: user.userId, uploadId, newId: newId(), now }, by, addFileFor(by))]
}

/** IDN-7: this actor knows only the user's groups. @throws ChatError `not_found` */
function requireMember(user: UserState, groupId: string): void {
  if (!user.groups.has(groupId)) throw noSuchGroup()
}

function progressTo(by: Caller): (progress: UploadProgress) => Effects {
  return (progress) => [answer(by, 'upload_progress', progress)]
}

function addFileFor(by: Caller): (upload: StoredUpload) => Effects {
  return ({ groupId, file, again }) => [tellGroup(groupId, { type: 'add_file', by, file, again })]
}
