/**
 * Partial: the received bytes of one upload, hashed while they are written.
 *
 * A lock file ensures that only one writer has it open, across all threads. Two writers could produce
 * content that does not match its hash. `received` is the length of the file; a reopened file is
 * first hashed up to there, one piece at a time.
 */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { ChatError } from '../../protocol/errors.ts'
import type { FileFolder } from './file-folder.ts'

const PIECE_BYTES = 256 * 1024
const BUSY_RETRY_MS = 1_000

export class PartialFile {
  readonly handle: FileHandle
  readonly #lock: string
  readonly #hash: Hash
  /** The hash of the complete file, if known without reading it. */
  readonly #hashed: string | undefined
  #received: number
  #closed = false

  private constructor(
    handle: FileHandle,
    lock: string,
    hash: Hash,
    received: number,
    hashed: string | undefined,
  ) {
    this.handle = handle
    this.#lock = lock
    this.#hash = hash
    this.#received = received
    this.#hashed = hashed
  }

  /**
   * Opens an upload to continue it; `hashed` is the hash of the complete file, if an earlier
   * writer stored it.
   * @throws ChatError `overloaded` while another writer has it open, `not_found` if it does not exist.
   */
  static async open(
    folder: FileFolder,
    uploadId: string,
    size: number,
    hashed?: string | undefined,
  ): Promise<PartialFile> {
    const lock = folder.ofUpload(uploadId, 'lock')
    await take(lock)
    let handle: FileHandle | null = null
    try {
      handle = await open(folder.ofUpload(uploadId, 'part'), 'r+')
      const hash = createHash('sha256')
      const whole = hashed !== undefined && (await handle.stat()).size === size
      const received = whole ? size : await hashUpTo(handle, hash, size)
      return new PartialFile(handle, lock, hash, received, whole ? hashed : undefined)
    } catch (error) {
      await handle?.close()
      await rm(lock, { force: true })
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw noSuchUpload()
      throw error
    }
  }

  /** Bytes received. */
  get received(): number {
    return this.#received
  }

  /** The hash of the received bytes, in hexadecimal. */
  get sha256(): string {
    return this.#hashed ?? this.#hash.copy().digest('hex')
  }

  /** Appends; the caller has checked that the bytes fit into `size`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(
        bytes,
        done,
        bytes.length - done,
        this.#received + done,
      )
      if (bytesWritten === 0) throw new Error('nothing was written')
      done += bytesWritten
    }
    this.#hash.update(bytes)
    this.#received += bytes.length
  }

  /** Closes the file and releases the lock. Can be called repeatedly. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.handle.close()
    } finally {
      await rm(this.#lock, { force: true })
    }
  }
}

/** The error for an upload that does not exist or belongs to another user. */
export function noSuchUpload(): ChatError {
  return new ChatError('not_found', 'no such upload', { field: 'uploadId' })
}

/** Bytes of an upload on disk. */
export async function receivedOf(folder: FileFolder, uploadId: string, size: number): Promise<number> {
  try {
    return Math.min((await stat(folder.ofUpload(uploadId, 'part'))).size, size)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** When an upload was last written, milliseconds since 1970; 0 if it has no file. */
export async function lastWritten(folder: FileFolder, uploadId: string): Promise<number> {
  const found = await stat(folder.ofUpload(uploadId, 'part')).catch(() => null)
  return found?.mtimeMs ?? 0
}

async function take(lock: string): Promise<void> {
  try {
    await (await open(lock, 'wx')).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new ChatError('overloaded', 'the upload is being written by another connection', {
      retryAfterMs: BUSY_RETRY_MS,
    })
  }
}

async function hashUpTo(handle: FileHandle, hash: Hash, size: number): Promise<number> {
  const there = Math.min((await handle.stat()).size, size)
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(there, 1)))
  let at = 0
  while (at < there) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, there - at), at)
    if (bytesRead === 0) break
    hash.update(piece.subarray(0, bytesRead))
    at += bytesRead
  }
  return at
}
