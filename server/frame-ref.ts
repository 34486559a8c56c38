/**
 * Frame ref: the engine opens every session with a `connected` of ref 0. Where `authenticate` asked
 * for it, the frame has to carry that request's ref: it is put in without decoding the rest.
 */

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
