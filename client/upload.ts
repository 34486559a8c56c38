/**
 * Upload: a file of any size, chunk by chunk over the client's connection.
 *
 * One chunk is in memory at a time. Each says where it belongs, so that one that is sent again after
 * a reconnect does no harm; after anything worse the server is asked how far it got, and the upload
 * goes on from there. It is given up after `MAX_FAILURES` without a chunk in between.
 */
import { ChatError } from '../protocol/errors.ts'
import type { SendRequest } from '../protocol/methods.ts'
import type { File } from '../protocol/records.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'

export interface FileToUpload {
  readonly groupId: string
  readonly fileName: string
  /** What the bytes are said to be; the server looks at them itself. */
  readonly mimeType?: string | undefined
  /** In Node, `fs.openAsBlob` gives one that is read as it goes. */
  readonly data: Blob | Uint8Array
  /** Called after each chunk, with bytes. */
  readonly onProgress?: ((received: number, size: number) => void) | undefined
  /** Aborting it rejects the upload with its reason; what has arrived is forgotten after a day. */
  readonly signal?: AbortSignal | undefined
}

interface UploadOptions {
  readonly ask: SendRequest
  readonly clock: Clock
  /** Of one chunk. */
  readonly chunkBytes: number
}

const MAX_FAILURES = 8
const RETRY_AFTER_MS = 500

/** Uploads the file; resolves once it is kept. Rejects with a `ChatError` or `ClientError`. */
export async function upload(file: FileToUpload, { ask, clock, chunkBytes }: UploadOptions): Promise<File> {
  const { groupId, fileName, mimeType, data, onProgress, signal } = file
  const size = data instanceof Uint8Array ? data.length : data.size
  const announced = { fileName, fileSize: size, groupId, mimeType }
  let { uploadId, received } = await ask('upload_begin', announced)
  for (let failures = 0; ; ) {
    try {
      while (received < size) {
        signal?.throwIfAborted()
        const chunk = await bytesOf(data, received, Math.min(size, received + chunkBytes))
        const progress = await ask('upload_chunk', { uploadId, offset: received, chunk })
        received = progress.received
        failures = 0
        onProgress?.(received, size)
      }
      signal?.throwIfAborted()
      return await ask('upload_end', { uploadId })
    } catch (error) {
      failures += 1
      if (failures > MAX_FAILURES || !mayGoOn(error)) throw error
      const waitMs = (error instanceof ChatError ? error.retryAfterMs : undefined) ?? RETRY_AFTER_MS
      await new Promise<void>((resolve) => clock.after(waitMs * clock.random() + waitMs, resolve))
      const progress = await ask('upload_begin', { ...announced, uploadId })
      uploadId = progress.uploadId
      received = progress.received
    }
  }
}

async function bytesOf(data: Blob | Uint8Array, from: number, to: number): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data.subarray(from, to)
  return new Uint8Array(await data.slice(from, to).arrayBuffer())
}

/** A lost connection, a server that restarted or is busy: the upload itself is not to blame. */
function mayGoOn(error: unknown): boolean {
  if (error instanceof ClientError) return error.code === 'connection_lost' || error.code === 'timeout'
  return error instanceof ChatError && (error.retryAfterMs !== undefined || error.code === 'not_found')
}
