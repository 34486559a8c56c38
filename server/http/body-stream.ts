/**
 * Body stream: the body of a request, piece by piece, as fast as its reader takes it.
 *
 * The transport hands over memory of its own: a piece is copied into one of two buffers that are
 * used in turn, and the connection is paused until the piece was read. So an upload of any size
 * needs about as much memory as one read of its connection.
 */
import type { Response } from '../transport/transport.ts'

const FIRST_BYTES = 64 * 1024

/** The client has gone before all of its body was there. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError'
}

type Phase = 'reading' | 'ended' | 'aborted' | 'discarding'

export class BodyStream {
  readonly #response: Response
  #phase: Phase = 'reading'
  #filling: Buffer = Buffer.alloc(0)
  /** What the reader was given; filled again after it has asked for more. */
  #given: Buffer = Buffer.alloc(0)
  #length = 0
  #paused = false
  #wake: (() => void) | null = null

  /** Takes the body of a request from here on; called while its handler runs. */
  constructor(response: Response) {
    this.#response = response
    response.onData((chunk, isLast) => this.#take(chunk, isLast))
  }

  /**
   * The next piece, valid until the next call; null at the end. One call at a time.
   * Rejects with `BrokenOffError` where the client has gone.
   */
  async next(): Promise<Uint8Array | null> {
    while (this.#length === 0) {
      if (this.#phase === 'aborted') throw new BrokenOffError('the client has gone')
      if (this.#phase !== 'reading') return null
      this.#resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const piece = this.#filling.subarray(0, this.#length)
    this.#filling = this.#given
    this.#given = Buffer.from(piece.buffer, piece.byteOffset, piece.buffer.byteLength)
    this.#length = 0
    return piece
  }

  /** The client has gone: the response may not be touched any more. */
  abort(): void {
    this.#phase = 'aborted'
    this.#wake?.()
  }

  /** What is still to come is thrown away. Called before the response is ended. */
  discard(): void {
    if (this.#phase === 'aborted') return
    this.#resume()
    this.#phase = 'discarding'
    this.#wake?.()
  }

  #take(chunk: Uint8Array, isLast: boolean): void {
    if (this.#phase !== 'reading') return
    const needed = this.#length + chunk.length
    if (needed > this.#filling.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(needed))))
      larger.set(this.#filling.subarray(0, this.#length))
      this.#filling = larger
    }
    this.#filling.set(chunk, this.#length)
    this.#length = needed
    if (isLast) this.#phase = 'ended'
    else if (!this.#paused) {
      this.#paused = true
      this.#response.pause()
    }
    this.#wake?.()
    this.#wake = null
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#response.resume()
  }
}
