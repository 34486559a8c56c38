/**
 * Link: an authenticated socket between an engine and a front, with batches of records both ways.
 *
 * Everything that one turn of the event loop sends is one write. Both sides send a heartbeat every second.
 * A link ends when the peer has sent nothing for five checks of one second, when it reads so
 * slowly that more than `maxUnsentBytes` wait for it, when its bytes are not those of the protocol, or when
 * the socket breaks. `onEnd` is called once, in a later turn than the call that ended it.
 */
import type { Socket } from 'node:net'
import { BatchWriter, type VisitRecord } from '../../engine/threads/batch.ts'
import { StallGuard } from '../../engine/threads/stall-guard.ts'
import type { Timers } from '../../engine/threads/timer.ts'
import { HEARTBEAT } from './link-records.ts'
import { RecordReader } from './record-reader.ts'

const HEARTBEAT_MS = 1_000
/** The largest record: the largest frame or chunk of a file with room to spare. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
/** Bytes that wait for a peer that does not read. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024

export interface LinkOptions {
  readonly timers: Timers
  readonly maxUnsentBytes?: number | undefined
  /** Called for every record except heartbeats; an error that it throws ends the link. */
  readonly visit: VisitRecord
  /** The body of a heartbeat arrived. */
  readonly onHeartbeat?: (body: Uint8Array) => void
  /** The body of the next heartbeat. */
  readonly heartbeat?: () => Uint8Array
  /** `isFault`: the peer has sent what it must not send. */
  readonly onEnd: (why: string, isFault: boolean) => void
}

export class Link {
  readonly #socket: Socket
  readonly #options: LinkOptions
  readonly #writer: BatchWriter
  readonly #guard: StallGuard
  readonly #endHeartbeat: () => void
  #ended = false

  constructor(socket: Socket, options: LinkOptions) {
    const { timers, visit, onHeartbeat } = options
    this.#socket = socket
    this.#options = options
    this.#writer = new BatchWriter((batch) => this.#write(batch), setImmediate)
    this.#guard = new StallGuard({
      after: timers.after,
      isWaiting: () => true,
      onStalled: () => this.end('the peer has sent nothing for 5 seconds'),
    })
    this.#guard.watch()
    const beat = () => this.#writer.push(HEARTBEAT, 0, undefined, options.heartbeat?.())
    this.#endHeartbeat = timers.every(HEARTBEAT_MS, beat)
    beat()
    const reader = new RecordReader(MAX_RECORD_BYTES, (kind, number, id, body) => {
      if (this.#ended) return
      if (kind === HEARTBEAT) onHeartbeat?.(body)
      else visit(kind, number, id, body)
    })
    socket.on('data', (chunk: Buffer) => {
      if (this.#ended) return
      this.#guard.advanced()
      try {
        reader.push(chunk)
      } catch (error) {
        this.end(`the peer sent what it must not send: ${(error as Error).message}`, true)
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.end(error.code ?? error.message))
    socket.on('close', () => this.end('the peer closed it'))
    socket.resume()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Bytes that the peer has not read, without those of this turn. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  /** Appends a record, sent at the end of the turn; nothing once the link has ended. */
  push(kind: number, number: number, id?: Uint8Array, body?: Uint8Array): void {
    if (!this.#ended) this.#writer.push(kind, number, id, body)
  }

  /** Appends a record without an id. Returns the copy of its body, which is not written again. */
  pushBody(kind: number, number: number, body: Uint8Array): Uint8Array {
    if (this.#ended) return Uint8Array.from(body)
    this.#writer.push(kind, number, undefined, body)
    return this.#writer.tail(body.length)
  }

  /** Sends what was pushed, then ends the link. */
  finish(): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#writer.flush()
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.end(() => this.#socket.destroy())
    })
  }

  /** Ends the link at once. */
  end(why: string, isFault = false): void {
    if (this.#ended) return
    this.#ended = true
    this.#guard.close()
    this.#endHeartbeat()
    this.#socket.destroy()
    setImmediate(() => this.#options.onEnd(why, isFault))
  }

  #write(batch: Uint8Array): void {
    if (this.#ended) return
    this.#socket.write(batch)
    const { maxUnsentBytes = MAX_UNSENT_BYTES } = this.#options
    if (this.#socket.writableLength > maxUnsentBytes) {
      this.end(`the peer does not read: ${this.#socket.writableLength} bytes wait for it`)
    }
  }
}
