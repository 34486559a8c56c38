/**
 * Upload: one `upload_file` of a Socket.IO client, stored in pieces and posted as a message (SIO-1).
 *
 * A file in one event can be larger than a frame of the engine, so it becomes `upload_begin`, chunks and
 * `upload_end`, and then `send_message`, because the apps of other backends expect that an upload posts
 * the message. One request at a time: each answer causes the next. The bytes count as held until the end.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Event } from '../../protocol/events.ts'
import type { RequestName } from '../../protocol/requests.ts'

/** What an upload does with its connection. */
export interface UploadPort {
  /** Sends a request of the upload; its answer is passed to `answered`. */
  request(name: RequestName, fields: Readonly<Record<string, unknown>>): void
  /** Sends an event to the client. */
  notify(event: Event): void
  /** The message is posted, or the upload has failed. */
  ended(result: Event<'message_sent'> | ChatError, file: unknown): void
}

export interface UploadFields {
  readonly file: Uint8Array
  readonly tempId: string
  readonly fields: Readonly<Record<string, unknown>>
}

const CHUNK_BYTES = 49_152
/** The bytes between two `upload_progress`. */
const PROGRESS_BYTES = 1_048_576
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

export class Upload {
  readonly tempId: string
  readonly #port: UploadPort
  readonly #file: Uint8Array
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #chunkBytes: number
  #uploadId = ''
  #reported = 0
  #stored: unknown

  constructor(port: UploadPort, { file, tempId, fields }: UploadFields, maxMessageBytes: number) {
    this.tempId = tempId
    this.#port = port
    this.#file = file
    this.#fields = fields
    this.#chunkBytes = Math.min(CHUNK_BYTES, maxMessageBytes >> 1)
  }

  get bytes(): number {
    return this.#file.length
  }

  start(): void {
    const { fileName, groupId, mimeType } = this.#fields
    this.#port.request('upload_begin', { fileName, groupId, mimeType, fileSize: this.#file.length })
  }

  /** The answer to the last request. */
  answered(event: Event): void {
    switch (event.event) {
      case 'upload_progress':
        this.#next(event as Event<'upload_progress'>)
        return
      case 'file_uploaded':
        this.#stored = { ...event.fields }
        this.#post(event as Event<'file_uploaded'>)
        return
      case 'message_sent':
        this.#port.ended(event as Event<'message_sent'>, this.#stored)
        return
      case 'message_error':
        this.#port.ended(ChatError.fromFields((event as Event<'message_error'>).fields.error), this.#stored)
        return
      case 'error':
        this.#port.ended(ChatError.fromFields((event as Event<'error'>).fields), this.#stored)
        return
      default:
        this.#port.ended(new ChatError('internal'), this.#stored)
    }
  }

  #next(event: Event<'upload_progress'>): void {
    const { uploadId, received, size } = event.fields
    this.#uploadId = uploadId
    if (received > 0 && (received === size || received - this.#reported >= PROGRESS_BYTES)) {
      this.#reported = received
      this.#port.notify({ ...event, ref: 0 })
    }
    if (received >= size) this.#port.request('upload_end', { uploadId })
    else {
      const chunk = this.#file.subarray(received, received + this.#chunkBytes)
      this.#port.request('upload_chunk', { uploadId: this.#uploadId, offset: received, chunk })
    }
  }

  #post(event: Event<'file_uploaded'>): void {
    const { fileId, fileName, mimeType } = event.fields
    this.#port.notify({ ...event, ref: 0 })
    const { groupId, content, replyToId, mentions } = this.#fields
    const type = /^(image|audio|video)\//.exec(mimeType)?.[1] ?? 'file'
    const post = {
      groupId,
      content: content ?? fileName,
      type,
      tempId: this.tempId,
      fileId,
      replyToId,
      mentions,
    }
    this.#port.request('send_message', post)
  }
}

/**
 * The bytes of a file in any form that apps send: an attachment, base64, a data URL, a list of bytes.
 * @throws ChatError `bad_request`; `bad_file` if there are more or fewer bytes than announced, as for a
 *   Dart list view, which is sent as its whole buffer
 */
export function fileBytes(file: unknown, fileSize: unknown): Uint8Array {
  const bytes = bytesOf(file)
  if (!bytes) {
    throw new ChatError('bad_request', 'file must be bytes, base64, a data URL or a list of bytes', {
      field: 'file',
    })
  }
  if (fileSize !== undefined && fileSize !== null && Number(fileSize) !== bytes.length) {
    const why = `fileSize must equal the length of file (${bytes.length}): a list view is sent as its whole buffer`
    throw new ChatError('bad_file', why, { field: 'fileSize' })
  }
  return bytes
}

function bytesOf(file: unknown): Uint8Array | null {
  if (file instanceof Uint8Array) return file
  if (typeof file === 'string') return fromText(file)
  if (Array.isArray(file)) return fromList(file)
  const { type, data } = (file ?? {}) as { readonly type?: unknown; readonly data?: unknown }
  return type === 'Buffer' && Array.isArray(data) ? fromList(data) : null
}

function fromText(text: string): Uint8Array | null {
  const comma = text.startsWith('data:') ? text.indexOf(',') : -1
  if (comma > 0 && !/;base64$/i.test(text.slice(0, comma))) return fromEscapes(text.slice(comma + 1))
  const digits = text.slice(comma + 1).replace(/\s/g, '')
  const isWhole = BASE64.test(digits) && digits.replace(/=+$/, '').length % 4 !== 1
  return isWhole ? Buffer.from(digits, 'base64') : null
}

/** A data URL without base64: percent escapes are bytes. */
function fromEscapes(text: string): Uint8Array | null {
  if (/%(?![0-9a-f]{2})/i.test(text)) return null
  // One character for each byte, as `latin1` reads it.
  const bytes = Buffer.from(text).toString('latin1')
  return Buffer.from(
    bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

function fromList(list: readonly unknown[]): Uint8Array | null {
  const isBytes = list.every(
    (byte) => Number.isInteger(byte) && (byte as number) >= 0 && (byte as number) <= 255,
  )
  return isBytes ? Uint8Array.from(list as number[]) : null
}
