/**
 * Response over Node's HTTP server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Response, ResponseHead } from '../transport.ts'

const nothing = Buffer.alloc(0)

export class NodeResponse implements Response {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  #aborted: (() => void) | null = null
  /** Resolves the pending write. */
  #written: (() => void) | null = null
  #closed: (() => void) | null = null
  /** The client has disconnected, or everything is written. */
  #over = false
  /** Remaining bytes of a response in pieces. */
  #left = 0

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req
    this.#res = res
    // A client that disconnects during its body causes an error event.
    req.on('error', () => {})
    res.on('error', () => {})
  }

  /** Everything is written, or the client has disconnected. */
  closed(): void {
    this.#written?.()
    if (!this.#over) {
      this.#over = true
      this.#aborted?.()
    }
    this.#closed?.()
  }

  /** Calls `then` after `closed`. */
  whenClosed(then: () => void): void {
    this.#closed = then
  }

  onAborted(then: () => void): void {
    this.#aborted = then
  }

  onData(receive: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#req.on('data', (chunk: Buffer) => receive(chunk, false))
    this.#req.on('end', () => receive(nothing, true))
  }

  pause(): void {
    this.#req.pause()
  }

  resume(): void {
    this.#req.resume()
  }

  end(head: ResponseHead, body: Uint8Array, closeConnection = false): void {
    if (!this.#head(head, body.length, closeConnection)) return
    this.#over = true
    this.#res.end(body)
  }

  endWithoutBody(head: ResponseHead, length: number | null, closeConnection = false): void {
    if (!this.#head(head, length, closeConnection)) return
    this.#over = true
    this.#res.end()
  }

  begin(head: ResponseHead, length: number): void {
    if (this.#head(head, length, false)) this.#left = length
  }

  write(piece: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#over) return resolve()
      // Node does not call back if the client has disconnected.
      this.#written = resolve
      this.#left -= piece.length
      if (this.#left > 0) this.#res.write(piece, () => resolve())
      else {
        this.#over = true
        this.#res.end(piece, () => resolve())
      }
    })
  }

  destroy(): void {
    if (!this.#res.writableFinished) this.#req.socket.destroy()
  }

  /** False if nothing can be written any more. */
  #head({ status, headers }: ResponseHead, length: number | null, closeConnection: boolean): boolean {
    if (this.#over) return false
    const lines: string[] = []
    for (const [name, value] of headers) lines.push(name, value)
    if (length !== null) lines.push('Content-Length', String(length))
    if (closeConnection) lines.push('Connection', 'close')
    this.#res.writeHead(status, lines)
    return true
  }
}
