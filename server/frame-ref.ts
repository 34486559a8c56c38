/**
 * Frame ref: which request a frame answers, read and written without decoding the rest.
 *
 * The engine opens every session with a `connected` of ref 0. Where `authenticate` asked
 * for it, the frame has to carry that request's ref: it is put in here.
 */

/** The ref of an event frame that the engine encoded: `[code, ref, …]`. */
export function refOf(frame: Uint8Array): number {
  const tag = frame[2] as number
  if (tag <= 0x7f) return tag
  let ref = 0
  for (let at = 3; at < 3 + (1 << (tag - 0xcc)); at++) ref = ref * 256 + (frame[at] as number)
  return ref
}

/** A copy of `frame`, an event `[code, 0, …]`, that carries `ref` instead of the 0. */
export function withRef(frame: Uint8Array, ref: number): Uint8Array {
  // One byte each for the array, the code and the 0: no event has more than 13 fields.
  const answer = new Uint8Array(frame.length + 4)
  answer.set(frame.subarray(0, 2))
  // uint32, whatever its size: the shortest form would be right as well.
  answer[2] = 0xce
  new DataView(answer.buffer).setUint32(3, ref)
  answer.set(frame.subarray(3), 7)
  return answer
}
