/**
 * Fake files: a file store for simulations that stores sizes only, and loses uploads when its
 * process ends.
 */

import type {
  AnnouncedFile,
  FileCall,
  FileCallName,
  FileCalls,
  Files,
  StoredUpload,
  UploadProgress,
} from '../../../engine/actors/file-calls.ts'
import { ChatError } from '../../../protocol/errors.ts'
import type { File } from '../../../protocol/records.ts'

interface Upload {
  readonly userId: string
  readonly announced: AnnouncedFile
  received: number
  stored: StoredUpload | null
}

export class FakeFiles implements Files {
  readonly depths = { uploads: 0, uploadBytes: 0 }
  readonly #uploads = new Map<string, Upload>()

  async run<N extends FileCallName>(call: FileCall<N>): Promise<FileCalls[N]['result']> {
    return this.#run(call as unknown as FileCall) as FileCalls[N]['result']
  }

  sweep(): void {}

  async close(): Promise<void> {}

  #run(call: FileCall): UploadProgress | StoredUpload {
    switch (call.call) {
      case 'store': {
        const { announced, newId } = call
        return { groupId: announced.groupId, file: toFile(announced, newId), again: false }
      }
      case 'begin': {
        const { announced, userId } = call
        const uploadId = call.uploadId ?? call.newId
        if (call.uploadId !== undefined) this.#own(userId, uploadId)
        else this.#uploads.set(uploadId, { userId, announced, received: 0, stored: null })
        return this.#progress(uploadId)
      }
      case 'append': {
        const upload = this.#own(call.userId, call.uploadId)
        if (call.offset > upload.received) throw new ChatError('bad_request')
        upload.received = Math.max(upload.received, call.offset + call.bytes.length)
        return this.#progress(call.uploadId)
      }
      case 'end': {
        const upload = this.#own(call.userId, call.uploadId)
        const { announced, received } = upload
        if (received < announced.size) throw new ChatError('bad_file')
        if (upload.stored) return { ...upload.stored, again: true }
        upload.stored = { groupId: announced.groupId, file: toFile(announced, call.newId), again: false }
        return upload.stored
      }
    }
  }

  #own(userId: string, uploadId: string): Upload {
    const upload = this.#uploads.get(uploadId)
    if (upload?.userId !== userId) throw new ChatError('not_found')
    return upload
  }

  #progress(uploadId: string): UploadProgress {
    const upload = this.#uploads.get(uploadId)
    return { uploadId, received: upload?.received ?? 0, size: upload?.announced.size ?? 0 }
  }
}

function toFile({ groupId, fileName, size }: AnnouncedFile, id: string): File {
  const fileId = `${groupId}:f${id}`
  const url = `/api/chat/files/${fileId}`
  return { fileId, url, fileName, mimeType: 'application/octet-stream', size, sha256: '0'.repeat(64) }
}
