/**
 * Lean client: one WebSocket on a raw TCP socket, for measuring a server and not a client library.
 *
 *   connecting → upgrading → open → closed
 *
 * All clients of a process read into one shared buffer (`onread`), and what they read is counted in
 * one tally. What a frame's hook queues for the same client leaves in one write when the read has
 * been handled. Pings are answered; a close or an error is kept in words.
 */
import { connect, type Socket } from 'node:net'
import { FrameReader, type FrameSink, Opcode } from './frame-reader.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { Tally } from './tally.ts'

export type ClientState = 'connecting' | 'upgrading' | 'open' | 'closed'

/** What all clients of a process share. */
export interface ClientHub {
  readonly host: string
  readonly port: number
  /** What is read goes here, for all; it is handled before the next read. */
  readonly readBuffer: Buffer
  readonly writer: FrameWriter
  readonly tally: Tally
  /** The client has closed, whoever ended it. */
  ended(client: LeanClient): void
}

// RFC 6455, 1.3: the example's key and its answer. A key is a nonce; nothing depends on it here.
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const LONGEST_RESPONSE = 8_192

export class LeanClient implements FrameSink {
  /** The user's number. */
  readonly user: number
  state: ClientState = 'connecting'
  /** Why it is closed. */
  why = ''
  readonly #hub: ClientHub
  readonly #socket: Socket
  readonly #reader: FrameReader
  #response = ''

  constructor(hub: ClientHub, user: number, token: string) {
    this.#hub = hub
    this.user = user
    this.#reader = new FrameReader(this)
    this.#socket = connect({
      host: hub.host,
      port: hub.port,
      noDelay: true,
      onread: {
        buffer: hub.readBuffer,
        callback: (length, bytes) => {
          this.#read(bytes, length)
          return true
        },
      },
    })
    this.#socket.once('connect', () => {
      this.state = 'upgrading'
      this.#socket.write(
        `GET /ws HTTP/1.1\r\nHost: ${hub.host}:${hub.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
    })
    this.#socket.once('error', (error) => this.#fail(error.message))
    this.#socket.once('close', () => {
      const was = this.state
      this.state = 'closed'
      if (this.why === '') this.why = `closed while ${was}, without a close frame`
      hub.ended(this)
    })
  }

  /** Sends one frame now. */
  send(payload: Uint8Array): void {
    this.queue(payload)
    this.#flush()
  }

  /** Within a hook of this client's own frame: sends one frame when the read has been handled. */
  queue(payload: Uint8Array): void {
    this.#hub.writer.add(payload)
  }

  /** Says good-bye; the server then ends the connection. */
  close(): void {
    if (this.state !== 'open') return
    this.why = 'closed by this side'
    this.#hub.writer.add(Uint8Array.of(0x03, 0xe8), Opcode.close)
    this.#flush()
  }

  // FrameSink, called by the reader

  data(bytes: Uint8Array, start: number, end: number): void {
    this.#hub.tally.add(this, bytes, start, end)
  }

  control(opcode: number, bytes: Uint8Array, start: number, end: number): void {
    if (opcode === Opcode.ping) this.#hub.writer.add(bytes.subarray(start, end), Opcode.pong)
    if (opcode !== Opcode.close) return
    if (this.why === '') {
      const code = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0)
      this.why = `closed with ${code}: ${Buffer.from(bytes.subarray(start + 2, end)).toString()}`
    }
    this.#socket.end()
  }

  #read(bytes: Uint8Array, length: number): void {
    try {
      if (this.state === 'open') this.#reader.read(bytes, 0, length)
      else this.#readResponse(bytes, length)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
    this.#flush()
  }

  #readResponse(bytes: Uint8Array, length: number): void {
    const before = this.#response.length
    this.#response += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
    const end = this.#response.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#response.length > LONGEST_RESPONSE) throw new Error('the answer to the upgrade has no end')
      return
    }
    const response = this.#response
    this.#response = ''
    if (!response.startsWith('HTTP/1.1 101 ') || !response.includes(ACCEPT)) {
      throw new Error(`the upgrade was answered with ${response.slice(0, response.indexOf('\r\n'))}`)
    }
    this.state = 'open'
    this.#reader.read(bytes, end + 4 - before, length)
  }

  #flush(): void {
    const bytes = this.#hub.writer.take()
    if (bytes && !this.#socket.destroyed) this.#socket.write(bytes)
  }

  #fail(why: string): void {
    if (this.why === '') this.why = why
    this.#socket.destroy()
  }
}
