/**
 * Uploads: files on their way to the server, over lost connections, reloads and restarts.
 *
 * One file is sent at a time, so that messages are not delayed. The bytes and the server's id of each upload
 * are in the cache until its message has the file. Without a connection an upload waits; what the server has
 * received is not sent again within a day. The server compares the SHA-256 where the platform computes it.
 * Bounded: above `MAX_UPLOADS` unfinished files an upload fails with `limit_reached`.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { File } from '../../protocol/records.ts'
import type { ChatClient } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import type { Clock } from '../clock.ts'
import { makeTempId } from '../temp-id.ts'
import type { CachedUpload, MessageCache } from './cache/message-cache.ts'
import { failureOf } from './failure.ts'
import type { Failure, NewFile, UploadItem, UploadsView, View } from './types.ts'
import { ViewCell } from './view-cell.ts'

export interface UploadsOptions {
  readonly client: Pick<ChatClient, 'upload'>
  readonly cache: Pick<MessageCache, 'put' | 'remove' | 'flush'>
  readonly clock: Clock
  /** What other tabs show: called at a change of a state, and for progress alone at most every `PROGRESS_MS`. */
  readonly onChange: (uploads: readonly UploadItem[]) => void
  /** The file is stored. Called before the upload is removed from the cache. */
  readonly onDone: (upload: UploadItem, file: File) => void
  /** The server refused the file, or it cannot be read. */
  readonly onFailed: (upload: UploadItem, failure: Failure) => void
}

interface Upload {
  row: CachedUpload
  state: UploadItem['state']
  sent: number
  failure?: Failure | undefined
  isStored: boolean
}

const MAX_UPLOADS = 100
/** Larger files are sent without a hash: it needs all bytes in memory. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024
const RETRY_MS = 2_000
const PROGRESS_MS = 250

export class Uploads {
  readonly #options: UploadsOptions
  readonly #cell = new ViewCell<UploadsView>({ uploads: [] })
  /** In the order of adding. */
  readonly #uploads = new Map<string, Upload>()
  #running: { readonly upload: Upload; readonly abort: AbortController } | null = null
  #isOnline = false
  /** What `onChange` was called for last. */
  #states = ''
  #announcedAt = 0
  #cancelRetry = () => {}

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  get view(): View<UploadsView> {
    return this.#cell
  }

  /** Shows the uploads of the cache, or what another tab added or changed, which may not be stored yet. */
  restore(rows: readonly CachedUpload[], isStored = true): void {
    for (const row of rows) this.#put(row, isStored)
    this.#changed()
  }

  /** What the leading tab shows. */
  follow(items: readonly UploadItem[]): void {
    for (const { uploadId, state, sent, failure } of items) {
      const upload = this.#uploads.get(uploadId)
      if (upload) Object.assign(upload, { state, sent, failure })
    }
    this.#changed()
  }

  has(uploadId: string): boolean {
    return this.#uploads.has(uploadId)
  }

  /** Another tab removed the upload. */
  forget(uploadId: string): void {
    const upload = this.#uploads.get(uploadId)
    this.#uploads.delete(uploadId)
    if (this.#running?.upload === upload) this.#interrupt()
    this.#changed()
  }

  /** Adds a file; it is sent as soon as it is its turn. */
  add(groupId: string, { blob, fileName, width, height }: NewFile): UploadItem {
    const uploadId = makeTempId()
    const row = { uploadId, groupId, fileName, mimeType: blob.type, blob, width, height }
    const isFull = this.#uploads.size >= MAX_UPLOADS
    this.#options.cache.put('uploads', row)
    const upload = this.#put(row, false)
    if (isFull) this.#fail(upload, new ChatError('limit_reached', `at most ${MAX_UPLOADS} files may wait`))
    this.#changed()
    return itemOf(upload)
  }

  pause(uploadId: string): void {
    const upload = this.#uploads.get(uploadId)
    if (upload && upload.state !== 'failed') this.#store(upload, { isPaused: true })
  }

  /** Continues a paused upload, and repeats a failed one. */
  resume(uploadId: string): void {
    const upload = this.#uploads.get(uploadId)
    if (upload) this.#store(upload, { isPaused: false })
  }

  /** Ends an upload; the server deletes what it has received after a day. */
  abort(uploadId: string): void {
    if (!this.#uploads.has(uploadId)) return
    this.#options.cache.remove('uploads', uploadId)
    this.forget(uploadId)
  }

  /** There is a connection, and this is the tab that sends. */
  online(): void {
    this.#isOnline = true
    this.#changed()
  }

  offline(): void {
    this.#isOnline = false
    this.#interrupt()
    this.#changed()
  }

  #store(upload: Upload, change: Partial<CachedUpload>): void {
    const row = { ...upload.row, ...change, sent: upload.sent }
    this.#options.cache.put('uploads', row)
    this.#put(row, false)
    this.#changed()
  }

  /** The upload of a row, which is in the cache. */
  #put(row: CachedUpload, isStored: boolean): Upload {
    let upload = this.#uploads.get(row.uploadId)
    if (!upload) {
      upload = { row, state: 'waiting', sent: row.sent ?? 0, isStored }
      this.#uploads.set(row.uploadId, upload)
    }
    upload.row = row
    if (row.isPaused && upload.state !== 'failed') {
      upload.state = 'paused'
      if (this.#running?.upload === upload) this.#interrupt()
    } else if (upload.state === 'paused' || upload.state === 'failed') {
      upload.state = 'waiting'
      upload.failure = undefined
    }
    if (!upload.isStored) void this.#awaitStored(upload)
    return upload
  }

  async #awaitStored(upload: Upload): Promise<void> {
    if (!(await this.#options.cache.flush())) return
    upload.isStored = true
    this.#changed()
  }

  /** Shows the change, and starts the next upload if there is one. */
  #changed(): void {
    if (this.#isOnline && !this.#running) {
      // The tab that led may have been sending.
      const next = [...this.#uploads.values()].find(({ state }) => /waiting|uploading/.test(state))
      if (next) void this.#run(next)
    }
    const uploads = [...this.#uploads.values()].map(itemOf)
    this.#cell.set({ uploads })
    const states = uploads.map(({ state }) => state).join()
    const now = this.#options.clock.now()
    if (states === this.#states && now < this.#announcedAt + PROGRESS_MS) return
    this.#states = states
    this.#announcedAt = now
    this.#options.onChange(uploads)
  }

  #interrupt(): void {
    const running = this.#running
    this.#running = null
    this.#cancelRetry()
    if (!running) return
    if (running.upload.state === 'uploading') running.upload.state = 'waiting'
    running.abort.abort()
  }

  async #run(upload: Upload): Promise<void> {
    const running = { upload, abort: new AbortController() }
    const isCurrent = () => this.#running === running
    this.#running = running
    upload.state = 'uploading'
    try {
      const { groupId, fileName, blob, mimeType, remoteId } = upload.row
      const sha256 = remoteId === undefined ? await sha256Of(blob) : undefined
      if (!isCurrent()) return
      const file = await this.#options.client.upload({
        groupId,
        fileName,
        data: blob,
        ...(mimeType !== '' && { mimeType }),
        sha256,
        uploadId: remoteId,
        signal: running.abort.signal,
        onBegin: (id) => {
          if (isCurrent() && id !== upload.row.remoteId) this.#store(upload, { remoteId: id })
        },
        onProgress: (sent) => {
          if (!isCurrent()) return
          upload.sent = sent
          this.#changed()
        },
      })
      // Also after a pause: the file is stored.
      if (!this.#uploads.delete(upload.row.uploadId)) return
      upload.state = 'done'
      upload.sent = blob.size
      this.#options.onDone(itemOf(upload), file)
      this.#options.cache.remove('uploads', upload.row.uploadId)
      if (!isCurrent()) this.#changed()
    } catch (error) {
      if (!isCurrent()) return
      if (isNotFound(error) && upload.row.remoteId !== undefined) {
        // The server has deleted what it received: from the beginning.
        upload.sent = 0
        this.#store(upload, { remoteId: undefined })
      } else if (mayRepeat(error)) {
        await new Promise<void>((resolve) => {
          this.#cancelRetry = this.#options.clock.after(RETRY_MS, resolve)
        })
      } else {
        this.#fail(upload, error)
      }
      if (isCurrent() && upload.state === 'uploading') upload.state = 'waiting'
    } finally {
      if (isCurrent()) {
        this.#running = null
        this.#changed()
      }
    }
  }

  #fail(upload: Upload, error: unknown): void {
    upload.state = 'failed'
    const isAnswer = error instanceof ChatError
    upload.failure = failureOf(
      isAnswer ? error : new ChatError('bad_file', `the file cannot be read: ${error}`),
    )
    this.#options.onFailed(itemOf(upload), upload.failure)
  }
}

function itemOf({ row, ...shown }: Upload): UploadItem {
  const { uploadId, groupId, fileName, mimeType, blob, width, height } = row
  return { uploadId, groupId, fileName, mimeType, size: blob.size, width, height, ...shown }
}

/** Undefined if the platform does not compute it: without TLS, or for large files. */
async function sha256Of(blob: Blob): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle || blob.size > MAX_HASHED_BYTES) return undefined
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isNotFound(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'not_found'
}

/** Whether it is not the file's fault: no connection, or a server that is busy. */
function mayRepeat(error: unknown): boolean {
  return error instanceof ClientError || (error instanceof ChatError && error.retryAfterMs !== undefined)
}
