/**
 * Send body: streams the body of a response as fast as its reader takes it.
 *
 * One piece is read from the source at a time, and the next once it is written. So a slow reader
 * needs the memory of one piece.
 */
import type { Response } from '../transport/transport.ts'

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

/**
 * Sends the source as the body of a response that has begun. Resolves when all is written or
 * `client` is gone; a source that ends early cuts the connection.
 */
export async function sendBody(
  response: Response,
  source: BodySource,
  client: { readonly gone: boolean },
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, source.length))
  for (let position = 0; position < source.length; ) {
    const bytes = await source.read(buffer, position)
    if (client.gone) return
    if (bytes === 0) {
      response.cut()
      return
    }
    const piece = buffer.subarray(0, Math.min(bytes, source.length - position))
    await response.write(piece)
    if (client.gone) return
    position += piece.length
  }
}
