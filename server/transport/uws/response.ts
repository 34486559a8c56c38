/**
 * Response over uWebSockets.js. The rules of the library are followed only here: `onAborted` is registered
 * first (a request without it ends the process), an aborted or ended response is not touched, writes after
 * the handler are corked.
 */
import type { HttpResponse } from 'uWebSockets.js'
import { STATUS_CODES } from 'node:http'
import type { Response, ResponseHead } from '../transport.ts'

export class UwsResponse implements Response {
  readonly #res: HttpResponse
  /** The library's object must not be used any more. */
  #over = false
  #aborted: (() => void) | null = null
  /** Total bytes of a response in pieces. */
  #length = 0
  /** Resolves the pending write. */
  #written: (() => void) | null = null
  /** The client asked for the end of the connection, which the library does without a header (RFC 9112 9.6). */
  readonly #isLast: boolean

  constructor(res: HttpResponse, isLast: boolean) {
    this.#res = res
    this.#isLast = isLast
    res.onAborted(() => {
      this.#over = true
      this.#aborted?.()
      this.#written?.()
    })
  }

  onAborted(then: () => void): void {
    this.#aborted = then
  }

  onData(receive: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#res.onData((chunk, isLast) => receive(new Uint8Array(chunk), isLast))
  }

  pause(): void {
    if (!this.#over) this.#res.pause()
  }

  resume(): void {
    if (!this.#over) this.#res.resume()
  }

  end(head: ResponseHead, body: Uint8Array, closeConnection = false): void {
    this.#finish(() => {
      this.#writeHead(head)
      this.#res.end(body, closeConnection)
    })
  }

  endWithoutBody(head: ResponseHead, length: number | null, closeConnection = false): void {
    this.#finish(() => {
      this.#writeHead(head)
      // The library writes 2^63 for an undefined length.
      if (length === null) this.#res.endWithoutBody()
      else this.#res.endWithoutBody(length, closeConnection)
    })
  }

  begin(head: ResponseHead, length: number): void {
    if (this.#over) return
    this.#length = length
    this.#res.cork(() => this.#writeHead(head))
  }

  // https://github.com/uNetworking/uWebSockets.js/blob/master/examples/VideoStreamer.js
  write(piece: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#over) return resolve()
      this.#written = resolve
      this.#res.cork(() => {
        const start = this.#res.getWriteOffset()
        if (this.#offer(piece)) return resolve()
        this.#res.onWritable((offset) => {
          const isWritten = this.#offer(piece.subarray(offset - start))
          if (isWritten) resolve()
          return isWritten
        })
      })
    })
  }

  destroy(): void {
    if (!this.#over) this.#res.close()
  }

  /** Whether the whole piece was written. */
  #offer(piece: Uint8Array): boolean {
    const [isWritten, isDone] = this.#res.tryEnd(piece, this.#length)
    if (isDone) this.#over = true
    return isWritten || isDone
  }

  #writeHead(head: ResponseHead): void {
    writeHead(this.#res, head)
    if (this.#isLast) this.#res.writeHeader('Connection', 'close')
  }

  #finish(write: () => void): void {
    if (this.#over) return
    this.#res.cork(write)
    this.#over = true
  }
}

export function writeHead(res: HttpResponse, { status, headers }: ResponseHead): void {
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`)
  for (const [name, value] of headers) res.writeHeader(name, Buffer.from(value))
}
