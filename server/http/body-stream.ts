/**
 * Body stream: the body of a request, piece by piece, as fast as it is read.
 *
 * The transport hands over memory of its own: a piece is copied, and the connection is paused until
 * the piece was read. A pause takes hold at once on most transports, and an upload of any size then
 * needs about as much memory as one read of its connection. Newer builds of uWebSockets.js read on
 * within a turn of the event loop while a client of the same machine fills the socket as fast as it
 * is read: such pieces wait here, up to `HeldBodies.limit` bytes of all bodies together, and a
 * connection that exceeds it is closed.
 */
import type { Response } from '../transport/transport.ts'

const FIRST_BYTES = 64 * 1024
const MAX_SPARE_BYTES = 1024 * 1024

/** The client has gone before all of its body was there. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError'
}

/** Bytes of bodies that were received and not read yet, of all requests of a server. */
export class HeldBodies {
  readonly limit: number
  readonly onFull: () => void
  #bytes = 0

  /** `onFull` is called for each connection that is closed for want of room. */
  constructor(limit: number, onFull: () => void) {
    this.limit = limit
    this.onFull = onFull
  }

  /** Whether there was room for as many more. */
  add(bytes: number): boolean {
    if (this.#bytes + bytes > this.limit) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}

type Phase = 'reading' | 'ended' | 'aborted' | 'discarding'

export class BodyStream {
  readonly #response: Response
  readonly #held: HeldBodies
  #phase: Phase = 'reading'
  /** Received and not read yet, in order. */
  #waiting: Uint8Array[] = []
  /** What the reader was given; its memory is used again after it has asked for more. */
  #given: Uint8Array | null = null
  #spare: ArrayBuffer | null = null
  #paused = false
  #wake: (() => void) | null = null

  /** Receives the body of a request from here on; called while its handler runs. */
  constructor(response: Response, held: HeldBodies) {
    this.#response = response
    this.#held = held
    response.onData((chunk, isLast) => this.#receive(chunk, isLast))
  }

  /**
   * The next piece, valid until the next call; null at the end. One call at a time.
   * Rejects with `BrokenOffError` where the client has gone.
   */
  async next(): Promise<Uint8Array | null> {
    this.#recycle()
    for (;;) {
      const piece = this.#waiting.shift()
      if (piece) {
        this.#given = piece
        return piece
      }
      if (this.#phase === 'aborted') throw new BrokenOffError('the client has gone')
      if (this.#phase !== 'reading') return null
      this.#resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The client has gone: the response may not be touched any more. */
  abort(): void {
    this.#phase = 'aborted'
    this.#drop()
    this.#wake?.()
  }

  /** What is still to come is thrown away. Called before the response is ended. */
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
        this.#response.cut()
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
    this.#held.release(given.length)
    const memory = given.buffer as ArrayBuffer
    if (memory.byteLength <= MAX_SPARE_BYTES) this.#spare = memory
  }

  /** Nothing of it is read any more. What the reader still has is not used again. */
  #drop(): void {
    for (const piece of this.#waiting) this.#held.release(piece.length)
    this.#waiting = []
    if (this.#given) this.#held.release(this.#given.length)
    this.#given = null
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#response.resume()
  }
}
