/**
 * Send body: streams the body of a response at the pace of its reader.
 *
 * The next piece is read from the source when the previous one is written. A slow reader therefore needs
 * the memory of one piece.
 */
import type { Response } from '../transport/transport.ts'

const PIECE_BYTES = 64 * 1024

/** A body that is read on demand. */
export interface BodySource {
  /** Total bytes. */
  readonly length: number
  /** Fills `into` with the bytes from `position` on; resolves with the number of bytes read. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Called once, whether or not the body was sent. */
  close(): Promise<void>
}

/**
 * Sends the source as the body of a response that has begun. Resolves when everything is written or
 * `client` has disconnected; a source that ends early destroys the connection.
 */
export async function sendBody(
  response: Response,
  source: BodySource,
  client: { readonly disconnected: boolean },
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, source.length))
  for (let position = 0; position < source.length; ) {
    const bytes = await source.read(buffer, position)
    if (client.disconnected) return
    if (bytes === 0) {
      response.destroy()
      return
    }
    const piece = buffer.subarray(0, Math.min(bytes, source.length - position))
    await response.write(piece)
    if (client.disconnected) return
    position += piece.length
  }
}
