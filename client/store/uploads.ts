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
import type { Failure, NewFile, UploadItem, UploadsView, View } from './types.ts'
import { ViewCell } from './view-cell.ts'

export interface UploadsOptions {
  readonly client: Pick<ChatClient, 'upload'>
  readonly cache: Pick<MessageCache, 'put' | 'remove'>
  readonly clock: Clock
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
  readonly item: () => UploadItem
}

const MAX_UPLOADS = 100
/** Larger files are sent without a hash: it needs all bytes in memory. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024
const RETRY_MS = 2_000

export class Uploads {
  readonly #options: UploadsOptions
  readonly #cell = new ViewCell<UploadsView>({ uploads: [] })
  /** In the order of adding. */
  readonly #uploads = new Map<string, Upload>()
  #running: { readonly upload: Upload; readonly abort: AbortController } | null = null
  #isOnline = false
  #cancelRetry = () => {}

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  get view(): View<UploadsView> {
    return this.#cell
  }

  /** Shows the uploads of the cache; a row that another tab added or changed is shown likewise. */
  restore(rows: readonly CachedUpload[]): void {
    for (const row of rows) {
      const known = this.#uploads.get(row.uploadId)
      if (known) this.#update(known, row)
      else this.#uploads.set(row.uploadId, makeUpload(row))
    }
    this.#changed()
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
    const upload = makeUpload({ uploadId, groupId, fileName, mimeType: blob.type, blob, width, height })
    const isFull = this.#uploads.size >= MAX_UPLOADS
    this.#uploads.set(uploadId, upload)
    this.#options.cache.put('uploads', upload.row)
    if (isFull) this.#fail(upload, new ChatError('limit_reached', `at most ${MAX_UPLOADS} files may wait`))
    this.#changed()
    return upload.item()
  }

  pause(uploadId: string): void {
    const upload = this.#uploads.get(uploadId)
    if (upload && upload.state !== 'failed') this.#store(upload, { isPaused: true })
  }

  /** Continues a paused upload, and repeats a failed one. */
  resume(uploadId: string): void {
    const upload = this.#uploads.get(uploadId)
    if (!upload) return
    if (upload.state === 'failed') upload.state = 'waiting'
    upload.failure = undefined
    this.#store(upload, { isPaused: false })
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
    const row = { ...upload.row, ...change }
    this.#options.cache.put('uploads', row)
    this.#update(upload, row)
    this.#changed()
  }

  #update(upload: Upload, row: CachedUpload): void {
    upload.row = row
    if (row.isPaused && upload.state !== 'failed') {
      upload.state = 'paused'
      if (this.#running?.upload === upload) this.#interrupt()
    } else if (upload.state === 'paused') {
      upload.state = 'waiting'
    }
  }

  /** Shows the change, and starts the next upload if there is one. */
  #changed(): void {
    if (this.#isOnline && !this.#running) {
      const next = [...this.#uploads.values()].find(({ state }) => state === 'waiting')
      if (next) void this.#run(next)
    }
    this.#cell.set({ uploads: [...this.#uploads.values()].map(({ item }) => item()) })
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
      this.#options.onDone(upload.item(), file)
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
    upload.failure = failureOf(error)
    this.#options.onFailed(upload.item(), upload.failure)
  }
}

function makeUpload(row: CachedUpload): Upload {
  const upload: Upload = {
    row,
    state: row.isPaused ? 'paused' : 'waiting',
    sent: 0,
    item: () => {
      const { uploadId, groupId, fileName, mimeType, blob, width, height } = upload.row
      const { state, sent, failure } = upload
      return { uploadId, groupId, fileName, mimeType, size: blob.size, sent, state, failure, width, height }
    },
  }
  return upload
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

function failureOf(error: unknown): Failure {
  if (error instanceof ChatError) return { code: error.code, message: error.message }
  return { code: 'bad_file', message: `the file cannot be read: ${String(error)}` }
}
