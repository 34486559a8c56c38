/**
 * Upload streams: uploads that are written by one stream, such as the body of an HTTP request.
 *
 * The bytes are hashed as they are written, chunk by chunk, on the thread that owns the sockets:
 * on Node 24, transferring each chunk to another thread used memory of up to three times the file.
 * An upload is written by one stream at a time.
 */
import { ChatError } from '../../protocol/errors.ts'
import { asRefusal } from './disk-refusal.ts'
import { FileFolder, isUploadId } from './file-folder.ts'
import { noSuchUpload, PartialFile } from './partial.ts'
import { type Pending, readPending, writePending } from './sidecar.ts'

/** An upload that is open for writing. */
export interface UploadStream {
  /** Bytes of the complete upload. */
  readonly size: number
  /** Bytes already received when it was opened. */
  readonly received: number
  /** Appends; resolves with the bytes received so far. @throws ChatError `too_large`, `storage_unavailable` */
  write(bytes: Uint8Array): Promise<number>
  /** Releases the upload, complete or not; it can be continued. */
  close(): Promise<void>
}

/** The upload of this user. @throws ChatError `not_found` */
export async function pendingOf(folder: FileFolder, userId: string, uploadId: string): Promise<Pending> {
  const pending = isUploadId(uploadId) ? await readPending(folder, uploadId) : null
  if (pending?.userId !== userId) throw noSuchUpload()
  return pending
}

/** Opens uploads for writing. */
export class UploadStreams {
  readonly #folder: FileFolder

  constructor(dataDir: string) {
    this.#folder = new FileFolder(dataDir)
  }

  /** @throws ChatError `not_found`, `overloaded` while another stream writes it */
  async open(userId: string, uploadId: string): Promise<UploadStream> {
    const folder = this.#folder
    const pending = await pendingOf(folder, userId, uploadId)
    const { size } = pending.announced
    let partial: PartialFile
    try {
      partial = await PartialFile.open(folder, uploadId, size, pending.hashed)
    } catch (error) {
      throw asRefusal(error)
    }
    return {
      size,
      received: partial.received,
      async write(bytes) {
        if (partial.received + bytes.length > size) {
          throw new ChatError('too_large', `the upload must not exceed the ${size} bytes announced`, {
            field: 'fileSize',
          })
        }
        try {
          await partial.write(bytes)
        } catch (error) {
          throw asRefusal(error)
        }
        return partial.received
      },
      async close() {
        try {
          // `upload_end` then does not have to read the file again.
          if (partial.received === size) {
            await writePending(folder, uploadId, { ...pending, hashed: partial.sha256 })
          }
        } finally {
          await partial.close()
        }
      },
    }
  }
}
