/**
 * Send body: streams the body of a response as fast as its reader takes it.
 *
 * One piece is read from the source at a time and offered to the socket; what does not fit is
 * offered again when the socket can be written. So a slow reader holds one piece of memory, no
 * more. https://github.com/uNetworking/uWebSockets.js/blob/master/examples/VideoStreamer.js
 */
import type { HttpResponse } from 'uWebSockets.js'

const PIECE_BYTES = 64 * 1024

/** A body that is read where and when it is needed. */
export interface BodySource {
  /** Bytes of the whole. */
  readonly length: number
  /** Fills `into` from `position` on; resolves with how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Called once, sent or not. */
  close(): Promise<void>
}

/** Whether the response may still be touched. */
export interface Liveness {
  readonly gone: boolean
  /** Calls `then` when the client has gone. */
  onGone(then: () => void): void
}

/**
 * Sends the source as the body of a response whose head is written. Resolves when all is handed
 * to the socket or the client has gone; a source that ends early ends the connection.
 */
export async function sendBody(res: HttpResponse, source: BodySource, client: Liveness): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, source.length))
  for (let position = 0; position < source.length; ) {
    const bytes = await source.read(buffer, position)
    if (client.gone) return
    if (bytes === 0) {
      res.close()
      return
    }
    const piece = buffer.subarray(0, Math.min(bytes, source.length - position))
    await offer(res, piece, source.length, client)
    if (client.gone) return
    position += piece.length
  }
}

function offer(res: HttpResponse, piece: Uint8Array, total: number, client: Liveness): Promise<void> {
  return new Promise((resolve) => {
    client.onGone(resolve)
    res.cork(() => {
      const start = res.getWriteOffset()
      const [ok, done] = res.tryEnd(piece, total)
      if (ok || done) return resolve()
      res.onWritable((offset) => {
        const [nowOk, nowDone] = res.tryEnd(piece.subarray(offset - start), total)
        if (nowOk || nowDone) resolve()
        return nowOk
      })
    })
  })
}
