/**
 * File access: reads and writes the bytes of files for HTTP, outside the shards.
 *
 * An HTTP body is written directly to the upload that `upload_begin` created, and a download is read
 * directly from the disk. Neither passes through an actor; an actor has allowed it before. Open
 * streams are limited in total and per user, so that slow downloads of one user do not block others.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { ChatError } from '../../protocol/errors.ts'
import type { UploadProgress } from '../actors/file-calls.ts'
import { FileFolder, isUploadId } from './file-folder.ts'
import { noSuchUpload, receivedOf } from './partial.ts'
import { readStored } from './sidecar.ts'
import { pendingOf, type UploadStream, UploadStreams } from './upload-streams.ts'

/** Maximum concurrent uploads and downloads, in total and per user. */
const MAX_STREAMS = 1_024
const MAX_STREAMS_PER_USER = 16
const RETRY_AFTER_MS = 1_000
/** Bytes between two progress events; at most `PROGRESS_PARTS` are sent per upload. */
const PROGRESS_BYTES = 256 * 1024
const PROGRESS_PARTS = 100

/** The bytes of a file, read at any position. */
export interface FileReader {
  /** Reads into `into` from `position`; resolves with the number of bytes read. */
  read(into: Uint8Array, position: number): Promise<number>
  /** May be called again. */
  close(): Promise<void>
}

/** An upload that is open for writing by exactly one stream. */
export interface UploadWriter {
  readonly received: number
  readonly size: number
  /** @throws ChatError `too_large` for more bytes than were announced. */
  write(bytes: Uint8Array): Promise<void>
  /** Releases it, complete or not; it can be continued. May be called again. */
  close(): Promise<void>
}

/** Notifies a user's sessions of the progress of an upload. */
export type NotifyProgress = (userId: string, progress: UploadProgress) => void

/** Streams the bytes of files. */
export interface FileAccess {
  /** Number of open uploads and downloads, for the stats. */
  readonly streams: number
  /**
   * Opens the content with this hash, for this user.
   * @throws ChatError `not_found`, `overloaded`, `rate_limited` (too many streams of the user)
   */
  read(userId: string, sha256: string): Promise<FileReader>
  /**
   * Opens an upload of the user to continue it from `received`.
   * @throws ChatError `not_found`, `overloaded` (also while another connection writes it),
   * `rate_limited`
   */
  write(userId: string, uploadId: string): Promise<UploadWriter>
  /** Progress of an upload of the user. @throws ChatError `not_found` */
  progress(userId: string, uploadId: string): Promise<UploadProgress>
}

/** File access on the local disk. */
export class DiskAccess implements FileAccess {
  readonly #folder: FileFolder
  readonly #uploads: UploadStreams
  readonly #notify: NotifyProgress
  readonly #streamsByUser = new Map<string, number>()
  #streams = 0

  constructor(dataDir: string, notify: NotifyProgress) {
    this.#folder = new FileFolder(dataDir)
    this.#uploads = new UploadStreams(dataDir)
    this.#notify = notify
  }

  get streams(): number {
    return this.#streams
  }

  async read(userId: string, sha256: string): Promise<FileReader> {
    const end = this.#begin(userId)
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
    const end = this.#begin(userId)
    try {
      return this.#writer(userId, uploadId, await this.#uploads.open(userId, uploadId), end)
    } catch (error) {
      end()
      throw error
    }
  }

  async progress(userId: string, uploadId: string): Promise<UploadProgress> {
    if (!isUploadId(uploadId)) throw noSuchUpload()
    const stored = await readStored(this.#folder, uploadId)
    if (stored?.userId === userId) return { uploadId, received: stored.file.size, size: stored.file.size }
    const { size } = (await pendingOf(this.#folder, userId, uploadId)).announced
    return { uploadId, received: await receivedOf(this.#folder, uploadId, size), size }
  }

  #writer(userId: string, uploadId: string, stream: UploadStream, end: () => void): UploadWriter {
    const notify = this.#notify
    const { size } = stream
    const step = Math.max(PROGRESS_BYTES, size / PROGRESS_PARTS)
    let { received } = stream
    let notifiedAt = received
    return {
      size,
      get received() {
        return received
      },
      async write(bytes) {
        received = await stream.write(bytes)
        if (received - notifiedAt < step && received < size) return
        notifiedAt = received
        notify(userId, { uploadId, received, size })
      },
      close: once(async () => {
        end()
        await stream.close()
      }),
    }
  }

  /** Counts a stream; the returned function ends it. */
  #begin(userId: string): () => void {
    if (this.#streams >= MAX_STREAMS) {
      throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
    }
    const own = this.#streamsByUser.get(userId) ?? 0
    if (own >= MAX_STREAMS_PER_USER) {
      const message = `at most ${MAX_STREAMS_PER_USER} uploads and downloads of one user at once`
      throw new ChatError('rate_limited', message, { retryAfterMs: RETRY_AFTER_MS })
    }
    this.#streams += 1
    this.#streamsByUser.set(userId, own + 1)
    return () => {
      this.#streams -= 1
      const left = (this.#streamsByUser.get(userId) ?? 1) - 1
      if (left === 0) this.#streamsByUser.delete(userId)
      else this.#streamsByUser.set(userId, left)
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
