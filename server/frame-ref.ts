/**
 * Frame ref: the ref of an event frame, read and replaced without decoding the fields.
 *
 * The engine opens every session with a `connected` of ref 0. If the client sent `authenticate`, the ref
 * of that request is inserted here.
 */
import { refOffset, wholeNumberAt } from '../protocol/frame-head.ts'

/** The ref of an event frame that the engine encoded: `[code, ref, …]`. */
export function refOf(frame: Uint8Array): number {
  return wholeNumberAt(frame, refOffset(frame))
}

/** A copy of the event frame `[code, 0, …]` with `ref` instead of 0. */
export function withRef(frame: Uint8Array, ref: number): Uint8Array {
  const at = refOffset(frame)
  const answer = new Uint8Array(frame.length + 4)
  answer.set(frame.subarray(0, at))
  // Every ref is written as a uint32; a shorter form would be valid as well.
  answer[at] = 0xce
  new DataView(answer.buffer).setUint32(at + 1, ref)
  answer.set(frame.subarray(at + 1), at + 5)
  return answer
}
