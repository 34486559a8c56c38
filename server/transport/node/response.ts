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
  /** The client has disconnected, or all is written. */
  #over = false
  /** Of a response in pieces: bytes to come. */
  #left = 0

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req
    this.#res = res
    // A client that disconnects while it sends a body makes an error of it.
    req.on('error', () => {})
    res.on('error', () => {})
    res.on('close', () => {
      if (this.#over) return
      this.#over = true
      this.#aborted?.()
    })
  }

  onAborted(then: () => void): void {
    this.#aborted = then
  }

  onData(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#req.on('data', (chunk: Buffer) => take(chunk, false))
    this.#req.on('end', () => take(nothing, true))
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
      this.#left -= piece.length
      if (this.#left > 0) this.#res.write(piece, () => resolve())
      else {
        this.#over = true
        this.#res.end(piece, () => resolve())
        // `end` does not call back where the client has disconnected.
        this.#res.once('close', resolve)
      }
    })
  }

  cut(): void {
    if (!this.#res.writableFinished) this.#req.socket.destroy()
  }

  /** False where nothing can be written any more. */
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
