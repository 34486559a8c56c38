/**
 * Read stream: protocols whose messages begin and end anywhere in the frames of a WebSocket.
 */
import type { Member } from './member.ts'

/**
 * Reads the messages in a frame, behind what the frame before left over. `readOne` returns where its message
 * ends, or 0 if it is incomplete.
 */
export function readStream(
  member: Member,
  frame: Buffer,
  frameStart: number,
  frameEnd: number,
  readOne: (bytes: Buffer, at: number, end: number) => number,
): void {
  let [bytes, at, end] = [frame, frameStart, frameEnd]
  if (member.rest) {
    bytes = Buffer.concat([member.rest, frame.subarray(frameStart, frameEnd)])
    member.rest = null
    ;[at, end] = [0, bytes.length]
  }
  while (at < end) {
    const next = readOne(bytes, at, end)
    if (next === 0) break
    at = next
  }
  if (at < end) member.rest = Buffer.from(bytes.subarray(at, end))
}
