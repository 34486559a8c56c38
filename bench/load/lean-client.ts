/**
 * Lean client: a WebSocket connection that costs the load process as little as possible.
 *
 * The server and the load share two cores, so that work of the load slows down the server. Frames are
 * found by their headers in one read buffer shared by all connections; nothing is decoded and no object is
 * created for a frame. Client frames are masked with the zero key, which RFC 6455 allows and which does
 * not change the payload.
 */
import { connect, type Socket } from 'node:net'

/** Handles one frame: its payload is `bytes[start]` up to `bytes[end]`, valid during the call. */
export type OnFrame = (client: LeanClient, bytes: Buffer, start: number, end: number) => void

const READ_BYTES = 512 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')
/** A fixed key: the answer to it is not checked. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const CLOSE = 8
const PING = 9
const PONG = 10
const TEXT = 1
const BINARY = 2

const shared = Buffer.allocUnsafeSlow(READ_BYTES)

export interface LeanOptions {
  readonly localAddress?: string
  /** The path with its query. */
  readonly path?: string
  /** Sends text frames. */
  readonly isText?: boolean
  readonly subprotocol?: string
  /** Called when the server has accepted the upgrade. */
  readonly onOpen?: (client: LeanClient) => void
  /** Called when the server refuses the upgrade, before the connection ends; without it a refusal is an error. */
  readonly onRefused?: () => void
}

export class LeanClient {
  /** Number of the client in its case; the case assigns it. */
  readonly index: number
  /** Received `new_message` events; the crowd counts them. */
  posts = 0
  readonly #socket: Socket
  readonly #onFrame: OnFrame
  readonly #opcode: number
  readonly #onOpen: LeanOptions['onOpen']
  readonly #onRefused: LeanOptions['onRefused']
  #rest: Buffer | null = null
  #upgraded = false
  #open = true

  constructor(
    index: number,
    port: number,
    token: string,
    onFrame: OnFrame,
    onEnd: () => void,
    { localAddress, path = '/ws', isText = false, subprotocol, onOpen, onRefused }: LeanOptions = {},
  ) {
    this.index = index
    this.#onOpen = onOpen
    this.#onRefused = onRefused
    this.#opcode = isText ? TEXT : BINARY
    this.#onFrame = onFrame
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      ...(localAddress && { localAddress }),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, buffer) => {
          this.#read(buffer as Buffer, length)
          return true
        },
      },
    })
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
        `${token && `Authorization: Bearer ${token}\r\n`}` +
        `${subprotocol ? `Sec-WebSocket-Protocol: ${subprotocol}\r\n` : ''}\r\n`,
    )
    const end = () => {
      if (this.#open) onEnd()
      this.#open = false
    }
    // An error is followed by a close.
    this.#socket.on('error', () => {})
    this.#socket.on('close', end)
  }

  /** Sends a payload as one frame. */
  send(payload: Uint8Array): void {
    this.#socket.write(toFrame(payload, this.#opcode))
  }

  /** Stops reading: what the server sends stays in its buffers and in those of the system. */
  pause(): void {
    this.#socket.pause()
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume()
  }

  /** Closes the connection. */
  end(): void {
    this.#open = false
    this.#socket.destroy()
  }

  #read(buffer: Buffer, length: number): void {
    let bytes = buffer
    let end = length
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, buffer.subarray(0, length)])
      end = bytes.length
      this.#rest = null
    }
    let at = 0
    if (!this.#upgraded) {
      const head = bytes.subarray(0, end).indexOf(HEAD_END)
      if (head < 0) return this.#keep(bytes, 0, end)
      if (!bytes.toString('latin1', 0, 12).endsWith('101')) {
        if (!this.#onRefused) throw new Error(bytes.toString('latin1', 0, head))
        this.#onRefused()
        this.#socket.destroy()
        return
      }
      this.#upgraded = true
      at = head + HEAD_END.length
      this.#onOpen?.(this)
    }
    while (end - at >= 2) {
      let size = (bytes[at + 1] as number) & 0x7f
      let start = at + 2
      if (size === 126) {
        if (end - at < 4) break
        size = bytes.readUInt16BE(start)
        start += 2
      } else if (size === 127) {
        if (end - at < 10) break
        size = Number(bytes.readBigUInt64BE(start))
        start += 8
      }
      if (end - start < size) break
      const opcode = (bytes[at] as number) & 0x0f
      if (opcode === PING) this.#socket.write(toFrame(bytes.subarray(start, start + size), PONG))
      else if (opcode !== CLOSE) this.#onFrame(this, bytes, start, start + size)
      at = start + size
    }
    if (at < end) this.#keep(bytes, at, end)
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    this.#rest = Buffer.from(bytes.subarray(from, to))
  }
}

/** A client's frame with the zero masking key. */
function toFrame(payload: Uint8Array, opcode: number): Buffer {
  const { length } = payload
  if (length > 0xffff) throw new RangeError(`a frame of ${length} bytes; at most 65535`)
  const head = length < 126 ? 2 : 4
  const frame = Buffer.alloc(head + 4 + length)
  frame[0] = 0x80 | opcode
  if (length < 126) frame[1] = 0x80 | length
  else {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  }
  frame.set(payload, head + 4)
  return frame
}
