/**
 * Body stream: the body of a request, read in pieces at the pace of its consumer.
 *
 * The memory of a chunk belongs to the transport: a chunk is copied, and the connection is paused until
 * the chunk is consumed. On most transports a pause has an immediate effect, and an upload of any size
 * needs about as much memory as one read of its connection. Newer builds of uWebSockets.js continue to
 * read within a turn of the event loop while a local client fills the socket: such chunks are held here,
 * up to `HeldBodies.limit` bytes of all bodies together. A connection that exceeds it is closed.
 */
import { HeldBytes } from '../held-bytes.ts'
import type { Response } from '../transport/transport.ts'

const FIRST_BYTES = 64 * 1024
const MAX_SPARE_BYTES = 1024 * 1024

/** The client disconnected before the end of its body. */
export class RequestAbortedError extends Error {
  override readonly name = 'RequestAbortedError'
}

/** Received bytes that are not consumed yet, of all bodies of a server. */
export class HeldBodies extends HeldBytes {
  readonly onFull: () => void

  /** `onFull` is called for each connection that is closed because the limit is reached. */
  constructor(limit: number, onFull: () => void) {
    super(limit)
    this.onFull = onFull
  }
}

type Phase = 'reading' | 'ended' | 'aborted' | 'discarding'

export class BodyStream {
  readonly #response: Response
  readonly #held: HeldBodies
  #phase: Phase = 'reading'
  /** Received chunks that are not consumed yet, in order. */
  #waiting: Uint8Array[] = []
  /** The buffer that the consumer has; filled again after the next call of `next`. */
  #given: Uint8Array | null = null
  #spare: ArrayBuffer | null = null
  #paused = false
  #wake: (() => void) | null = null

  /** Reads the body of a request; created while the request's handler runs. */
  constructor(response: Response, held: HeldBodies) {
    this.#response = response
    this.#held = held
    response.onData((chunk, isLast) => this.#receive(chunk, isLast))
  }

  /**
   * The next piece, valid until the next call; null at the end. One call at a time.
   * Rejects with `RequestAbortedError` if the client has disconnected.
   */
  async next(): Promise<Uint8Array | null> {
    this.#recycle()
    for (;;) {
      const piece = this.#waiting.shift()
      if (piece) {
        this.#given = piece
        return piece
      }
      if (this.#phase === 'aborted') throw new RequestAbortedError('the client disconnected')
      if (this.#phase !== 'reading') return null
      this.#resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The client has disconnected: the response must not be used any more. */
  abort(): void {
    this.#phase = 'aborted'
    this.#drop()
    this.#wake?.()
  }

  /** Discards the rest of the body. Called before the response is ended. */
  discard(): void {
    if (this.#phase === 'aborted') return
    this.#resume()
    this.#phase = 'discarding'
    this.#drop()
    this.#wake?.()
  }

  #receive(chunk: Uint8Array, isLast: boolean): void {
    if (this.#phase !== 'reading') return
    if (chunk.length > 0) {
      if (!this.#held.add(chunk.length)) {
        this.#held.onFull()
        this.#response.destroy()
        // Not every transport reports a connection that was closed from this side.
        this.abort()
        return
      }
      this.#waiting.push(this.#copy(chunk))
    }
    if (isLast) this.#phase = 'ended'
    else if (chunk.length > 0 && !this.#paused) {
      this.#paused = true
      this.#response.pause()
    }
    this.#wake?.()
    this.#wake = null
  }

  #copy(chunk: Uint8Array): Uint8Array {
    const spare = this.#spare
    let memory: ArrayBuffer
    if (spare && spare.byteLength >= chunk.length) {
      memory = spare
      this.#spare = null
    } else memory = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, chunk.length)).buffer as ArrayBuffer
    const piece = new Uint8Array(memory, 0, chunk.length)
    piece.set(chunk)
    return piece
  }

  #recycle(): void {
    const given = this.#given
    if (!given) return
    this.#given = null
    this.#held.remove(given.length)
    const memory = given.buffer as ArrayBuffer
    if (memory.byteLength <= MAX_SPARE_BYTES) this.#spare = memory
  }

  /** Nothing of it is read any more. What the reader still has is not used again. */
  #drop(): void {
    for (const piece of this.#waiting) this.#held.remove(piece.length)
    this.#waiting = []
    if (this.#given) this.#held.remove(this.#given.length)
    this.#given = null
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#response.resume()
  }
}
