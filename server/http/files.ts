/**
 * Files over HTTP: uploads streamed to the disk, downloads of any range.
 *
 * Permissions are checked by the same requests as on a socket: an upload begins with `upload_begin` and
 * ends with `upload_end`, a download begins with `get_file`. This module only transfers the bytes. Types
 * that a browser would execute are sent as a download.
 */
import type { UploadWriter } from '../../engine/files/file-access.ts'
import type { Identity } from '../../engine/hub/gateway.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { File } from '../../protocol/records.ts'
import type { Budget, RequestFields } from '../../protocol/requests.ts'
import type { ServedEngine } from '../served-engine.ts'
import { type BodyStream, RequestAbortedError } from './body-stream.ts'
import { byteRange, isKnown } from './byte-range.ts'
import { type CallerOptions, callerOf } from './caller.ts'
import { contentHeaders } from './content-headers.ts'
import { errorReply, type HttpReply, json } from './reply.ts'
import type { HttpCall, Route } from './router.ts'
import type { BodySource } from './send-body.ts'

export interface FileRouteOptions extends CallerOptions {
  readonly engine: ServedEngine
  /** False once the server is stopping. */
  readonly accepting: () => boolean
}

const CACHE_SECONDS = 86_400
const ACCEPTED = 202

/** The routes under `/api/chat/files`. */
export function fileRoutes(options: FileRouteOptions): readonly Route[] {
  const { engine } = options
  const caller = async (call: HttpCall, budget: Budget) => {
    if (!options.accepting()) throw new ChatError('shutting_down', undefined, { retryAfterMs: 5_000 })
    return (await callerOf(withQueryToken(call), options, budget)).identity
  }
  return [
    {
      method: 'POST',
      pattern: '/api/chat/files',
      streamed: true,
      handle: async (call) => {
        const identity = await caller(call, 'events')
        return await upload(engine, identity, call, call.stream as BodyStream)
      },
    },
    {
      method: 'GET',
      pattern: '/api/chat/files/uploads/:uploadId',
      handle: async (call) => {
        const { userId } = await caller(call, 'upload')
        return json(200, await engine.files.progress(userId, call.params[0] ?? ''))
      },
    },
    {
      method: 'GET',
      pattern: '/api/chat/files/:id',
      handle: async (call) => {
        const identity = await caller(call, 'upload')
        const { file } = await engine.request(identity, 'get_file', { fileId: call.params[0] ?? '' })
        return await download(engine, identity.userId, file, call)
      },
    },
  ]
}

/**
 * Receives a body, from its first byte or from the end of an interrupted upload. 201 with the file; 202
 * with the progress if bytes are missing.
 */
async function upload(
  engine: ServedEngine,
  identity: Identity,
  { query, headers }: HttpCall,
  stream: BodyStream,
): Promise<HttpReply> {
  const text = (name: string) => query.get(name) ?? undefined
  const bodyBytes = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const given = text('uploadId')
  const known = given === undefined ? undefined : await engine.files.progress(identity.userId, given)
  const fileSize = number(query, 'fileSize') ?? known?.size ?? bodyBytes
  if (fileSize === undefined) {
    return errorReply(new ChatError('bad_request', 'Content-Length or fileSize is required'), 411)
  }
  // The shard refuses missing and invalid fields by name.
  const fields = {
    groupId: text('groupId') ?? '',
    fileName: text('fileName') ?? '',
    fileSize,
    mimeType: text('mimeType') ?? undefined,
    sha256: text('sha256'),
    uploadId: given,
  } satisfies RequestFields<'upload_begin'>
  const { uploadId, received } = await engine.request(identity, 'upload_begin', fields)
  if (received < fileSize) {
    // Without an offset a body is the rest or the whole file; an empty one only begins the upload.
    const offset = number(query, 'offset') ?? (bodyBytes ? fileSize - bodyBytes : received)
    if (offset < 0 || offset > received) {
      throw new ChatError(
        'bad_request',
        `offset must be from 0 to ${received}, the bytes received so far (got ${offset})`,
        {
          field: 'offset',
        },
      )
    }
    const writer = await engine.files.write(identity.userId, uploadId)
    try {
      await writeBody(stream, writer, writer.received - offset)
    } catch (error) {
      // The client is disconnected. The received bytes are stored, so the upload can continue.
      if (error instanceof RequestAbortedError) return errorReply(new ChatError('bad_request', error.message))
      throw error
    } finally {
      await writer.close()
    }
    if (writer.received < fileSize) {
      return json(ACCEPTED, { uploadId, received: writer.received, size: fileSize })
    }
  }
  const file = await engine.request(identity, 'upload_end', { uploadId })
  return json(201, file, { Location: file.url })
}

/** Writes the body, except the bytes that are already stored. */
async function writeBody(stream: BodyStream, writer: UploadWriter, skip: number): Promise<void> {
  let left = skip
  for (let piece = await stream.next(); piece !== null; piece = await stream.next()) {
    const fresh = piece.subarray(Math.min(left, piece.length))
    left -= piece.length - fresh.length
    if (fresh.length > 0) await writer.write(fresh)
  }
}

async function download(
  engine: ServedEngine,
  userId: string,
  file: File,
  { headers }: HttpCall,
): Promise<HttpReply> {
  const etag = `"${file.sha256}"`
  const common = {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Cache-Control': `private, max-age=${CACHE_SECONDS}, immutable`,
  }
  if (isKnown(headers['if-none-match'], etag)) return { status: 304, headers: common }
  const range = byteRange(headers['range'], headers['if-range'], file.size, etag)
  if (range.type === 'unsatisfiable') {
    const error = new ChatError('bad_request', `Range must start below the size of the file (${file.size})`)
    return errorReply(error, 416, { 'Content-Range': `bytes */${file.size}` })
  }
  const { start, end } = range.type === 'part' ? range : { start: 0, end: file.size }
  const partHeader = range.type === 'part' && { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` }
  return {
    status: partHeader ? 206 : 200,
    headers: { ...common, ...partHeader, ...contentHeaders(file) },
    body: await sourceOf(engine, userId, file, start, end),
  }
}

async function sourceOf(
  engine: ServedEngine,
  userId: string,
  file: File,
  start: number,
  end: number,
): Promise<BodySource> {
  const reader = await engine.files.read(userId, file.sha256)
  return {
    length: end - start,
    read: (into, position) => reader.read(into, start + position),
    close: () => reader.close(),
  }
}

/** An `<img>` cannot send headers: its URL may contain the token. */
function withQueryToken(call: HttpCall): HttpCall {
  const token = call.query.get('token')
  return call.authorization === '' && token ? { ...call, authorization: `Bearer ${token}` } : call
}

function number(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) {
    throw new ChatError('bad_request', `${name} must be an integer`, { field: name })
  }
  return Number(text)
}
