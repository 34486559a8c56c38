/**
 * Frame ref: which request a frame answers, read and written without decoding the rest.
 *
 * The engine opens every session with a `connected` of ref 0. Where `authenticate` asked
 * for it, the frame has to carry that request's ref: it is put in here.
 */
import { refOffset, wholeNumberAt } from '../protocol/frame-head.ts'

/** The ref of an event frame that the engine encoded: `[code, ref, …]`. */
export function refOf(frame: Uint8Array): number {
  return wholeNumberAt(frame, refOffset(frame))
}

/** A copy of `frame`, an event `[code, 0, …]`, that carries `ref` instead of the 0. */
export function withRef(frame: Uint8Array, ref: number): Uint8Array {
  const at = refOffset(frame)
  const answer = new Uint8Array(frame.length + 4)
  answer.set(frame.subarray(0, at))
  // A uint32 for every ref: the shortest form would be right as well.
  answer[at] = 0xce
  new DataView(answer.buffer).setUint32(at + 1, ref)
  answer.set(frame.subarray(at + 1), at + 5)
  return answer
}
