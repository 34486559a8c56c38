/**
 * Upload streams: uploads that are written by one stream, such as the body of an HTTP request.
 *
 * The bytes are hashed as they are written, a piece of the socket at a time, on the thread that has
 * the sockets: on Node 24, handing each piece to another thread held up to three times the file in
 * memory. An upload is written by one stream at a time.
 */
import { ChatError } from '../../protocol/errors.ts'
import { asRefusal } from './disk-refusal.ts'
import { FileFolder, isUploadId } from './file-folder.ts'
import { noSuchUpload, PartialFile } from './partial.ts'
import { type Pending, readPending, writePending } from './sidecar.ts'

/** An upload that is open for writing. */
export interface UploadStream {
  /** Bytes that the whole upload has. */
  readonly size: number
  /** Bytes that were there when it was opened. */
  readonly received: number
  /** Appends; resolves with the bytes that are there now. @throws ChatError `too_large`, `storage_unavailable` */
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
          throw new ChatError('too_large', `the upload takes the ${size} bytes announced`, {
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
          // `upload_end` need not read it all again.
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
