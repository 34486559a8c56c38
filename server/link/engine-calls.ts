/**
 * Engine calls: answers what a front asks its engine for, besides the frames of sessions.
 *
 * Requests without a session, statistics, and the bytes of files. Files cross in chunks, each of which the
 * other side asks for or waits for: a slow reader or writer holds one chunk (flow control). Open files are
 * closed when the link ends. Bounded: `MAX_CALLS` calls of a front at once.
 */

import { overloaded, shuttingDown } from '../../engine/base/refusals.ts'
import type { FileReader, UploadWriter } from '../../engine/files/file-access.ts'
import type { Identity } from '../../engine/hub/identity.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { MethodRequest } from '../../protocol/methods.ts'
import { requests } from '../../protocol/requests.ts'
import type { ServedEngine } from '../served-engine.ts'
import type { SessionLimits } from './session-limits.ts'
import type { StatusWait } from './status-wait.ts'

const MAX_CALLS = 10_000
/** The largest chunk of a file that crosses at once. */
export const CHUNK_BYTES = 256 * 1024

export interface CallDeps {
  readonly engine: ServedEngine
  readonly limits: SessionLimits | undefined
  readonly statusWait: StatusWait
}

type Args = readonly unknown[]

export class EngineCalls {
  readonly #deps: CallDeps
  readonly #readers = new Map<number, FileReader>()
  readonly #writers = new Map<number, UploadWriter>()
  #lastFile = 0
  #running = 0
  #ended = false

  constructor(deps: CallDeps) {
    this.#deps = deps
  }

  /** Calls that are not answered yet. */
  get running(): number {
    return this.#running
  }

  /** Runs one call. @throws ChatError, also for arguments that are not of the right form */
  async run(name: string, args: Args): Promise<unknown> {
    if (this.#running >= MAX_CALLS) throw overloaded()
    this.#running += 1
    try {
      return await this.#run(name, args)
    } finally {
      this.#running -= 1
    }
  }

  /** The link has ended: closes the files. */
  async end(): Promise<void> {
    this.#ended = true
    const files = [...this.#readers.values(), ...this.#writers.values()]
    this.#readers.clear()
    this.#writers.clear()
    await Promise.allSettled(files.map((file) => file.close()))
  }

  #run(name: string, args: Args): unknown {
    const { engine } = this.#deps
    const [first, second, third] = args
    switch (name) {
      case 'request':
        return this.#request(args)
      case 'stats':
        return engine.stats()
      case 'details':
        return engine.details()
      case 'fileProgress':
        return engine.files.progress(text(first), text(second))
      case 'fileRead':
        return this.#openReader(text(first), text(second))
      case 'fileWrite':
        return this.#openWriter(text(first), text(second))
      case 'readChunk':
        return this.#readChunk(number(first), number(second), number(third))
      case 'writeChunk':
        return this.#writeChunk(number(first), bytes(second))
      case 'fileClose':
        return this.#close(number(first))
      default:
        throw new ChatError('unknown_event')
    }
  }

  async #request([identity, name, fields, asker]: Args): Promise<unknown> {
    const { engine, limits, statusWait } = this.#deps
    if (typeof name !== 'string' || !Object.hasOwn(requests, name)) throw new ChatError('unknown_event')
    const by = identity as Identity
    const request = name as MethodRequest
    if (asker === 'user') limits?.requested(by.userId, request)
    if (statusWait.holds(requests[request])) await new Promise<void>((then) => statusWait.add(then))
    // The engine checks the identity and the fields like those of any caller.
    return engine.request(by, request, fields as never, asker === 'user' ? 'user' : 'service')
  }

  async #openReader(userId: string, sha256: string): Promise<number> {
    const reader = await this.#deps.engine.files.read(userId, sha256)
    return this.#add(this.#readers, reader)
  }

  async #openWriter(userId: string, uploadId: string): Promise<unknown> {
    const writer = await this.#deps.engine.files.write(userId, uploadId)
    const { received, size } = writer
    return { file: await this.#add(this.#writers, writer), received, size }
  }

  async #add<T extends { close(): Promise<void> }>(files: Map<number, T>, file: T): Promise<number> {
    if (this.#ended) {
      await file.close()
      throw shuttingDown()
    }
    this.#lastFile += 1
    files.set(this.#lastFile, file)
    return this.#lastFile
  }

  async #readChunk(file: number, position: number, length: number): Promise<Uint8Array> {
    const reader = this.#readers.get(file)
    if (!reader) throw noSuchFile()
    const into = Buffer.allocUnsafe(Math.min(length, CHUNK_BYTES))
    return into.subarray(0, await reader.read(into, position))
  }

  async #writeChunk(file: number, chunk: Uint8Array): Promise<number> {
    const writer = this.#writers.get(file)
    if (!writer) throw noSuchFile()
    await writer.write(chunk)
    return writer.received
  }

  async #close(file: number): Promise<null> {
    const open = this.#readers.get(file) ?? this.#writers.get(file)
    this.#readers.delete(file)
    this.#writers.delete(file)
    await open?.close()
    return null
  }
}

function noSuchFile(): ChatError {
  return new ChatError('not_found', 'no such open file')
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw malformed()
  return value
}

function number(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed()
  return value as number
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length > CHUNK_BYTES) throw malformed()
  return value
}

function malformed(): ChatError {
  return new ChatError('bad_request', 'a call of a front has arguments of the wrong form')
}
