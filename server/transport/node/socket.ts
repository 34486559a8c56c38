/**
 * Socket over `ws`: the library reads (frames, fragments, pings, the closing handshake); frames that the
 * server sends are built here and written to the connection directly, so that one frame serves all
 * receivers.
 *
 * Frames of one turn of the event loop are written together. The connection receives no more than it can
 * buffer; the rest is queued here, so `getBufferedAmount` is exact to a few KiB while a reader is slow.
 */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Socket, SocketBehavior } from '../transport.ts'
import { deflatedFrameOf, frameOf } from './frame.ts'

/** What a socket needs of its app. */
export interface SocketHost {
  /** Calls `flush` at the end of this turn. */
  flushLater(socket: NodeSocket): void
  subscribe(socket: NodeSocket, topic: string): void
  unsubscribe(socket: NodeSocket, topic: string): void
  /** The socket is closed and its user must be notified; its connection may stay open for a while. */
  ended(socket: NodeSocket): void
}

/** A queue of this size is written before the end of the turn. */
const FLUSH_BYTES = 16 * 1_024

export class NodeSocket implements Socket {
  readonly behavior: SocketBehavior<object>
  /** The data that `upgrade` returned. */
  readonly data: object
  /** Whether compressed frames may be sent. */
  readonly deflates: boolean
  readonly topics = new Set<string>()
  /** The last silence check of the app before which something was received. */
  seenTurn = 0
  readonly #host: SocketHost
  readonly #ws: WebSocket
  readonly #connection: Duplex
  #isOpen = true
  #queue: Buffer[] = []
  #queuedBytes = 0
  #isDue = false

  constructor(
    host: SocketHost,
    behavior: SocketBehavior<object>,
    data: object,
    ws: WebSocket,
    connection: Duplex,
    deflates: boolean,
  ) {
    this.#host = host
    this.behavior = behavior
    this.data = data
    this.#ws = ws
    this.#connection = connection
    this.deflates = deflates
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  send(message: Uint8Array, isBinary: boolean, compress: boolean): void {
    this.write(compress && this.deflates ? deflatedFrameOf(message, isBinary) : frameOf(message, isBinary))
  }

  /** Writes a frame at the end of this turn. The buffer may be shared and must not be changed. */
  write(frame: Buffer): void {
    if (!this.#isOpen) return
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    if (this.#queuedBytes >= FLUSH_BYTES) this.flush()
    else if (!this.#isDue) {
      this.#isDue = true
      this.#host.flushLater(this)
    }
  }

  end(code: number, reason: Uint8Array): void {
    if (!this.#isOpen) return
    this.#writeQueue(this.#queue.length)
    this.#ws.close(code, Buffer.from(reason))
    this.#end()
  }

  cork(task: () => void): void {
    task()
  }

  getBufferedAmount(): number {
    return this.#queuedBytes + this.#connection.writableLength
  }

  subscribe(topic: string): void {
    if (!this.#isOpen) return
    this.topics.add(topic)
    this.#host.subscribe(this, topic)
  }

  unsubscribe(topic: string): void {
    if (this.topics.delete(topic)) this.#host.unsubscribe(this, topic)
  }

  isSubscribed(topic: string): boolean {
    return this.topics.has(topic)
  }

  getTopics(): readonly string[] {
    return [...this.topics]
  }

  // Called by the app

  /** Writes the queue as far as the connection has room; `drain` continues with the rest. */
  flush(): void {
    this.#isDue = false
    const connection = this.#connection
    while (this.#queue.length > 0) {
      const room = connection.writableHighWaterMark - connection.writableLength
      if (room <= 0) return
      const count = this.#countFor(room)
      if (count > 1) connection.cork()
      this.#writeQueue(count)
      if (count > 1) connection.uncork()
    }
  }

  /** The connection was closed, by either side. */
  closed(): void {
    if (this.#isOpen) this.#end()
  }

  ping(): void {
    this.#ws.ping()
  }

  /** Answers a ping, unless the peer does not read. */
  pong(payload: Buffer): void {
    if (!this.#connection.writableNeedDrain) this.#ws.pong(payload)
  }

  close(): void {
    if (this.#isOpen) this.#end()
    this.#ws.terminate()
  }

  trust(): void {
    limitMessages(this.#ws, this.behavior.maxPayloadBytes)
  }

  /** The number of frames that fill the room, at least one. */
  #countFor(room: number): number {
    let count = 1
    for (let bytes = this.#queue[0]?.length ?? 0; count < this.#queue.length && bytes < room; count++) {
      bytes += (this.#queue[count] as Buffer).length
    }
    return count
  }

  #writeQueue(count: number): void {
    const rest = this.#queue.splice(count)
    for (const frame of this.#queue) {
      this.#queuedBytes -= frame.length
      this.#connection.write(frame)
    }
    this.#queue = rest
  }

  #end(): void {
    this.#isOpen = false
    this.#queue = []
    this.#queuedBytes = 0
    for (const topic of this.topics) this.#host.unsubscribe(this, topic)
    this.topics.clear()
    this.#host.ended(this)
  }
}

/** Limits the messages of one socket. The library only has a setting for all sockets. */
export function limitMessages(ws: WebSocket, maxBytes: number): void {
  const { _receiver: receiver } = ws as unknown as { readonly _receiver: { _maxPayload: number } }
  receiver._maxPayload = maxBytes
}
