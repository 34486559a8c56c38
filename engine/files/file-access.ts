/**
 * File access: the bytes of files for whoever streams them, outside the shards.
 *
 * An HTTP body goes straight into the upload that `upload_begin` made, and a download comes straight
 * from the disk; neither passes through an actor, which has allowed it before. Bound: streams that
 * are open at once.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { ChatError } from '../../protocol/errors.ts'
import { asRefusal } from './disk-refusal.ts'
import type { UploadProgress } from './file-calls.ts'
import { FileFolder, isUploadId } from './file-folder.ts'
import { noSuchUpload, PartialFile, receivedOf } from './partial.ts'
import { type Pending, readKept, readPending, writePending } from './sidecar.ts'

/** Uploads and downloads that are streamed at once. */
const MAX_STREAMS = 1_024
const RETRY_AFTER_MS = 1_000
/** Progress is told as often as this, and a hundred times at the most. */
const PROGRESS_BYTES = 256 * 1024
const PROGRESS_PARTS = 100

/** The bytes of a file, read where one wants them. */
export interface FileReader {
  /** Fills `into` from `position` on; resolves with how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>
  /** May be called again. */
  close(): Promise<void>
}

/** An upload that is written by one stream, and by nobody else meanwhile. */
export interface UploadWriter {
  readonly received: number
  readonly size: number
  /** @throws ChatError `too_large` for more bytes than were announced. */
  write(bytes: Uint8Array): Promise<void>
  /** Lets go of it, whole or not; it can be gone on with. May be called again. */
  close(): Promise<void>
}

/** Tells a user's sessions how far an upload of theirs is. */
export type TellProgress = (userId: string, progress: UploadProgress) => void

/** Where the bytes of files are streamed. */
export interface FileAccess {
  /** Uploads and downloads that are open, for the stats. */
  readonly streams: number
  /** Opens the content with this hash. @throws ChatError `not_found`, `overloaded` */
  read(sha256: string): Promise<FileReader>
  /**
   * Opens an upload of the user's for writing on from `received`.
   * @throws ChatError `not_found`, `overloaded` (also while another connection writes it)
   */
  write(userId: string, uploadId: string): Promise<UploadWriter>
  /** How far an upload of the user's is. @throws ChatError `not_found` */
  progress(userId: string, uploadId: string): Promise<UploadProgress>
}

/** File access on this machine's disk. */
export class DiskAccess implements FileAccess {
  readonly #folder: FileFolder
  readonly #tell: TellProgress
  #streams = 0

  constructor(dataDir: string, tell: TellProgress) {
    this.#folder = new FileFolder(dataDir)
    this.#tell = tell
  }

  get streams(): number {
    return this.#streams
  }

  async read(sha256: string): Promise<FileReader> {
    const end = this.#begin()
    let handle: FileHandle
    try {
      handle = await open(this.#folder.content(sha256), 'r')
    } catch (error) {
      end()
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ChatError('not_found', 'no such file')
      throw error
    }
    return {
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      close: once(async () => {
        end()
        await handle.close()
      }),
    }
  }

  async write(userId: string, uploadId: string): Promise<UploadWriter> {
    const pending = await this.#pendingOf(userId, uploadId)
    const end = this.#begin()
    try {
      const { size } = pending.announced
      const partial = await PartialFile.open(this.#folder, uploadId, size, pending.hashed)
      return this.#writer(uploadId, partial, pending, end)
    } catch (error) {
      end()
      throw asRefusal(error)
    }
  }

  async progress(userId: string, uploadId: string): Promise<UploadProgress> {
    if (!isUploadId(uploadId)) throw noSuchUpload()
    const kept = await readKept(this.#folder, uploadId)
    if (kept?.userId === userId) return { uploadId, received: kept.file.size, size: kept.file.size }
    const { size } = (await this.#pendingOf(userId, uploadId)).announced
    return { uploadId, received: await receivedOf(this.#folder, uploadId, size), size }
  }

  #writer(uploadId: string, partial: PartialFile, pending: Pending, end: () => void): UploadWriter {
    const tell = this.#tell
    const folder = this.#folder
    const { size } = pending.announced
    const step = Math.max(PROGRESS_BYTES, size / PROGRESS_PARTS)
    let told = partial.received
    return {
      size,
      get received() {
        return partial.received
      },
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
        const { received } = partial
        if (received - told < step && received < size) return
        told = received
        tell(pending.userId, { uploadId, received, size })
      },
      close: once(async () => {
        end()
        try {
          // Whoever ends the upload need not read it all again.
          if (partial.received === size) {
            await writePending(folder, uploadId, { ...pending, hashed: partial.sha256 })
          }
        } finally {
          await partial.close()
        }
      }),
    }
  }

  async #pendingOf(userId: string, uploadId: string): Promise<Pending> {
    const pending = isUploadId(uploadId) ? await readPending(this.#folder, uploadId) : null
    if (pending?.userId !== userId) throw noSuchUpload()
    return pending
  }

  #begin(): () => void {
    if (this.#streams >= MAX_STREAMS) {
      throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
    }
    this.#streams += 1
    return () => {
      this.#streams -= 1
    }
  }
}

function once(task: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return () => {
    done ??= task()
    return done
  }
}
