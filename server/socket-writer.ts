/**
 * Socket writer: everything that one socket receives, sent directly or through its topics.
 *
 * The transport drops nothing, so the unsent bytes are checked here before every write: above
 * `maxBackpressure` the reader is too slow and its owner closes the socket (SLW-1), above half of it
 * the socket receives no ephemeral events. Below a quarter everything continues.
 * Not used once the socket is closing.
 */
import { type EventSpec, events } from '../protocol/events.ts'
import type { Meters } from './metrics/meters.ts'
import { SocketTopics } from './socket-topics.ts'
import type { Topics } from './topics.ts'
import type { Socket } from './transport/transport.ts'
import type { Wire } from './wire.ts'

/** What all writers share. */
export interface WriterHost {
  readonly topics: Topics
  /** The limit of unsent bytes of one connection, above which it is closed. */
  readonly maxBackpressure: number
  /** Frames of this many bytes and more are compressed. */
  readonly compressFrom: number
  readonly meters: Meters
}

const MAX_WAITING = 64
const rows: readonly EventSpec[] = Object.values(events)
const ephemeralCodes: ReadonlySet<number> = new Set(
  rows.filter((row) => row.ephemeral).map((row) => row.code),
)

export class SocketWriter {
  readonly topics: SocketTopics
  readonly #host: WriterHost
  readonly #socket: Socket
  readonly #wire: Wire
  #waiting: (() => void)[] | null = null

  constructor(host: WriterHost, socket: Socket, wire: Wire) {
    this.#host = host
    this.#socket = socket
    this.#wire = wire
    this.topics = new SocketTopics(host.topics, socket, wire.topicPrefix)
  }

  get unsentBytes(): number {
    return this.#socket.getBufferedAmount()
  }

  /** Checks the unsent bytes. Returns false if the reader is too slow; pauses ephemeral events at half of that. */
  keepsUp(): boolean {
    const unsent = this.unsentBytes
    if (unsent > this.#host.maxBackpressure) return false
    if (unsent > this.#host.maxBackpressure / 2) this.topics.pause()
    return true
  }

  /** Writes the event frame with this code, unless it is ephemeral and those are paused. */
  write(frame: Uint8Array, code: number): void {
    if (this.topics.isPaused && ephemeralCodes.has(code)) return
    const { meters, compressFrom } = this.#host
    meters.deliveries += 1
    const message = this.#wire.encode(frame)
    this.#socket.send(message, this.#wire.isBinary, message.length >= compressFrom)
  }

  /** Frames written in `send` leave in one packet. */
  together(send: () => void): void {
    this.#socket.cork(send)
  }

  /** Calls `then` once there is room. Returns false if too many calls wait already. */
  whenDrained(then: () => void): boolean {
    if (this.#hasRoom()) {
      then()
      return true
    }
    this.#waiting ??= []
    if (this.#waiting.length >= MAX_WAITING) return false
    this.#waiting.push(then)
    return true
  }

  /** The socket has written some of the unsent bytes. */
  drained(): void {
    if ((!this.#waiting && !this.topics.isPaused) || !this.#hasRoom()) return
    this.topics.resume()
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) for (const then of waiting) then()
  }

  #hasRoom(): boolean {
    return this.unsentBytes <= this.#host.maxBackpressure / 4
  }
}
