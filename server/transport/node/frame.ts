/**
 * Frame: the bytes of one unmasked WebSocket message, header and payload in one buffer (RFC 6455 5.2).
 *
 * The same buffer is written to every socket that receives the message. This also holds for compressed
 * messages, because no compression context is shared between messages (RFC 7692 7.1.1.1).
 */
import { constants, deflateRawSync } from 'node:zlib'

const FIN = 0x80
const RSV1 = 0x40
const TEXT = 1
const BINARY = 2

/** A whole message as a frame. The payload is copied. */
export function frameOf(payload: Uint8Array, isBinary: boolean): Buffer {
  return buildFrame(payload, FIN | (isBinary ? BINARY : TEXT))
}

/** The same, compressed, for sockets that have negotiated permessage-deflate. */
export function deflatedFrameOf(payload: Uint8Array, isBinary: boolean): Buffer {
  const deflated = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH, level: 1 })
  // Without the empty block at the end (RFC 7692 7.2.1).
  return buildFrame(deflated.subarray(0, -4), FIN | RSV1 | (isBinary ? BINARY : TEXT))
}

function buildFrame(payload: Uint8Array, first: number): Buffer {
  const { length } = payload
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame[0] = first
  if (headBytes === 2) frame[1] = length
  else if (headBytes === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.set(payload, headBytes)
  return frame
}
