/**
 * Relay: a WebSocket of a client whose session is on another front.
 *
 * The other front limits the client as its own. Bounded: while the client lags, nothing is read from the other
 * front; a front that does not read what the client sends loses it.
 */
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import type { Socket } from '../transport/transport.ts'

const HIGH_BYTES = 65_536
const MAX_WAITING_BYTES = 16 * 1_048_576
/** What a client may send before the other front has accepted it. */
const MAX_EARLY_BYTES = 16_384
const OPEN_WITHIN_MS = 10_000
const NO_STATUS = 1_005
const ABNORMAL = 1_006

export class Relay {
  readonly #other: WebSocket
  /** The other front has accepted the client, or not. */
  readonly isDecided: Promise<void>
  #client: Socket | null = null
  #early: { readonly bytes: Buffer; readonly isBinary: boolean }[] = []
  #earlyBytes = 0

  /** Connects to `path` of the server at `socketPath`. */
  constructor(socketPath: string, path: string, headers: Readonly<Record<string, string>>) {
    this.#other = new WebSocket(`ws://localhost${path}`, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: OPEN_WITHIN_MS,
      // A `ws+unix:` address cannot have every path of a socket.
      createConnection: () => connect(socketPath),
    })
    this.isDecided = new Promise((resolve) => {
      this.#other.once('open', () => resolve())
      this.#other.once('close', () => resolve())
    })
    // Followed by `close`.
    this.#other.on('error', () => {})
    this.#other.on('open', () => {
      this.#client?.trust?.()
      for (const { bytes, isBinary } of this.#early) this.#other.send(bytes, { binary: isBinary })
      this.#early = []
    })
    this.#other.on('message', (bytes: Buffer, isBinary: boolean) => this.#received(bytes, isBinary))
    this.#other.on('close', (code: number, reason: Buffer) => this.#ended(code, reason))
  }

  /** The socket of the client is open. */
  opened(client: Socket): void {
    this.#client = client
    if (this.#other.readyState === WebSocket.OPEN) client.trust?.()
    else if (this.#other.readyState !== WebSocket.CONNECTING) client.close()
  }

  /** A message of the client; the bytes are valid during the call only. */
  message(bytes: Uint8Array, isBinary: boolean): void {
    const copy = Buffer.from(bytes)
    if (this.#other.readyState === WebSocket.CONNECTING) {
      this.#earlyBytes += copy.length
      if (this.#earlyBytes > MAX_EARLY_BYTES) this.#client?.close()
      else this.#early.push({ bytes: copy, isBinary })
      return
    }
    if (this.#other.readyState !== WebSocket.OPEN) return
    if (this.#other.bufferedAmount > MAX_WAITING_BYTES) this.#client?.close()
    else this.#other.send(copy, { binary: isBinary })
  }

  /** The client has read some of what it was sent. */
  drained(): void {
    if (this.#client && this.#client.getBufferedAmount() < HIGH_BYTES) this.#other.resume()
  }

  /** The client has disconnected. */
  closed(): void {
    this.#client = null
    this.#other.terminate()
  }

  #received(bytes: Buffer, isBinary: boolean): void {
    if (!this.#client) return
    this.#client.send(bytes, isBinary, false)
    if (this.#client.getBufferedAmount() >= HIGH_BYTES) this.#other.pause()
  }

  #ended(code: number, reason: Buffer): void {
    const client = this.#client
    this.#client = null
    if (code === NO_STATUS || code === ABNORMAL) client?.close()
    else client?.end(code, reason)
  }
}
