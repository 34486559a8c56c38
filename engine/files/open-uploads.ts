/**
 * Open uploads: the uploads whose file is open, the most recently used last.
 *
 * Bounded by `MAX_OPEN`: the least recently used one is closed, and opened again when its next chunk
 * arrives. One that is idle is closed, too.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { FileFolder } from './file-folder.ts'
import type { Lanes } from './lanes.ts'
import { noSuchUpload, PartialFile } from './partial.ts'
import { type Pending, readPending } from './sidecar.ts'

/** Maximum open uploads; others are closed, and reopened when their next chunk arrives. */
const MAX_OPEN = 256
/** An upload without a chunk for this long is closed; it can be resumed. */
const IDLE_MS = 60_000
const RETRY_AFTER_MS = 1_000

export interface OpenUpload {
  readonly partial: PartialFile
  readonly pending: Pending
  usedAt: number
}

export class OpenUploads {
  readonly #folder: FileFolder
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #open = new Map<string, OpenUpload>()

  constructor(folder: FileFolder, lanes: Lanes, clock: Clock) {
    this.#folder = folder
    this.#lanes = lanes
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  has(uploadId: string): boolean {
    return this.#open.has(uploadId)
  }

  /** The upload with its file open. @throws ChatError `not_found` if it is not the user's. */
  async get(userId: string, uploadId: string): Promise<OpenUpload> {
    const known = this.#open.get(uploadId)
    if (known) {
      if (known.pending.userId !== userId) throw noSuchUpload()
      known.usedAt = this.#clock.steadyNow()
      this.#open.delete(uploadId)
      this.#open.set(uploadId, known)
      return known
    }
    const pending = await pendingOf(this.#folder, userId, uploadId)
    await this.#makeRoom()
    const partial = await PartialFile.open(this.#folder, uploadId, pending.announced.size, pending.hashed)
    const opened = { partial, pending, usedAt: this.#clock.steadyNow() }
    this.#open.set(uploadId, opened)
    return opened
  }

  async close(uploadId: string): Promise<void> {
    const opened = this.#open.get(uploadId)
    this.#open.delete(uploadId)
    await opened?.partial.close()
  }

  async closeAll(): Promise<void> {
    for (const uploadId of [...this.#open.keys()]) await this.close(uploadId)
  }

  /** Closes what is idle. */
  sweep(): void {
    const usedBefore = this.#clock.steadyNow() - IDLE_MS
    for (const [uploadId, { usedAt }] of this.#open) {
      if (usedAt <= usedBefore && !this.#lanes.busy(uploadId)) this.#closeLater(uploadId)
    }
  }

  async #makeRoom(): Promise<void> {
    if (this.#open.size < MAX_OPEN) return
    for (const uploadId of this.#open.keys()) {
      if (!this.#lanes.busy(uploadId)) return await this.close(uploadId)
    }
    throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
  }

  #closeLater(uploadId: string): void {
    // In its lane: a chunk that arrives later opens it again.
    this.#lanes.run(uploadId, 0, () => this.close(uploadId)).catch(() => {})
  }
}

/** What is known of an unfinished upload. @throws ChatError `not_found` if it is not the user's. */
export async function pendingOf(folder: FileFolder, userId: string, uploadId: string): Promise<Pending> {
  const pending = await readPending(folder, uploadId)
  if (pending?.userId !== userId) throw noSuchUpload()
  return pending
}
