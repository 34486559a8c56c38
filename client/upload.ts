/**
 * Upload: sends a file of any size in chunks over the client's connection.
 *
 * Several chunks are under way while their answers come soon, at most `MAX_UNDER_WAY`, and one otherwise: on a
 * slow link other requests would wait behind them. Each chunk has its offset, so that it can be sent again. After
 * a failure the client asks the server for the offset and continues from there. The upload fails after
 * `MAX_FAILURES` failures without a stored chunk in between.
 * Loaded with the first file, so it imports no code: what it shared would be a file of its own for every page.
 */
import type { ChatError } from '../protocol/errors.ts'
import type { SendRequest } from '../protocol/methods.ts'
import type { File } from '../protocol/records.ts'
import type { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'

export interface FileToUpload {
  readonly groupId: string
  readonly fileName: string
  /** The declared type; the server detects the type from the bytes. */
  readonly mimeType?: string | undefined
  /** In Node, `fs.openAsBlob` returns a Blob that is read in parts. */
  readonly data: Blob | Uint8Array
  /** Called after each chunk; both numbers are bytes. */
  readonly onProgress?: ((received: number, size: number) => void) | undefined
  /** Continues an upload that was interrupted, for instance by a reload. `not_found` if the server deleted it. */
  readonly uploadId?: string | undefined
  /** Called with the id that the server gave the upload, before the first byte: for `uploadId`. */
  readonly onBegin?: ((uploadId: string) => void) | undefined
  /** SHA-256 of the file, hexadecimal: the server refuses other bytes with `bad_file`. */
  readonly sha256?: string | undefined
  /** Aborting it rejects the upload with its reason; the server deletes the received bytes after a day. */
  readonly signal?: AbortSignal | undefined
}

interface UploadOptions {
  readonly ask: SendRequest
  readonly clock: Clock
  /** The size of one chunk. */
  readonly chunkBytes: number
}

const MAX_FAILURES = 8
const MAX_UNDER_WAY = 8
const SOON_MS = 300
const RETRY_AFTER_MS = 500

/** Uploads the file; resolves once it is stored. Rejects with a `ChatError` or `ClientError`. */
export async function upload(file: FileToUpload, { ask, clock, chunkBytes }: UploadOptions): Promise<File> {
  const { groupId, fileName, mimeType, sha256, data, onBegin, onProgress, signal } = file
  const size = data instanceof Uint8Array ? data.length : data.size
  const announced = { fileName, fileSize: size, groupId, mimeType, sha256 }
  const sendChunk = (uploadId: string, offset: number, chunk: Uint8Array) =>
    ask('upload_chunk', { uploadId, offset, chunk })
  let { uploadId } = file
  for (let failures = 0, width = 1; ; ) {
    let hasBegun = false
    try {
      const begun = await ask('upload_begin', { ...announced, uploadId })
      if (begun.uploadId !== uploadId) onBegin?.(begun.uploadId)
      uploadId = begun.uploadId
      hasBegun = true
      let { received } = begun
      if (failures === 0) onProgress?.(received, size)
      const underWay: { readonly sinceMs: number; readonly answer: ReturnType<typeof sendChunk> }[] = []
      for (let offset = received; received < size; ) {
        signal?.throwIfAborted()
        if (offset < size && underWay.length < width) {
          const chunk = await bytesOf(data, offset, Math.min(size, offset + chunkBytes))
          const answer = sendChunk(uploadId, offset, chunk)
          // It may fail while another one is awaited.
          answer.catch(() => {})
          underWay.push({ sinceMs: clock.now(), answer })
          offset += chunk.length
          continue
        }
        const first = underWay.shift() as (typeof underWay)[number]
        const progress = await first.answer
        received = progress.received
        width = clock.now() - first.sinceMs < SOON_MS ? Math.min(width + 1, MAX_UNDER_WAY) : 1
        failures = 0
        onProgress?.(received, size)
      }
      signal?.throwIfAborted()
      return await ask('upload_end', { uploadId })
    } catch (error) {
      failures += 1
      if (failures > MAX_FAILURES || !canContinue(error, hasBegun)) throw error
      const { retryAfterMs: waitMs = RETRY_AFTER_MS } = error as Partial<ChatError>
      await new Promise<void>((resolve) => clock.after(waitMs * clock.random() + waitMs, resolve))
    }
  }
}

async function bytesOf(data: Blob | Uint8Array, from: number, to: number): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data.subarray(from, to)
  return new Uint8Array(await data.slice(from, to).arrayBuffer())
}

/** Whether the upload can continue: the connection was lost, or the server restarted or is busy. */
function canContinue(error: unknown, hasBegun: boolean): boolean {
  const { code, retryAfterMs } = error as Partial<ClientError> & Partial<ChatError>
  return (
    retryAfterMs !== undefined ||
    code === 'connection_lost' ||
    code === 'timeout' ||
    (hasBegun && code === 'not_found')
  )
}
