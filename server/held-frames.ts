/**
 * Held frames: what a client sent before `connected`, in its order. Bounded: a client that sends
 * more than 32 frames or 16 KiB before it knows whether it may is not waited for.
 */
interface HeldFrame {
  readonly bytes: Uint8Array
  readonly isBinary: boolean
}

const MAX_FRAMES = 32
const MAX_BYTES = 16_384

export class HeldFrames {
  readonly frames: HeldFrame[] = []
  #bytes = 0

  /** Keeps a copy of the frame; false where the bound is passed. */
  hold(bytes: Uint8Array, isBinary: boolean): boolean {
    if (this.frames.length >= MAX_FRAMES || this.#bytes + bytes.length > MAX_BYTES) return false
    this.#bytes += bytes.length
    this.frames.push({ bytes: bytes.slice(), isBinary })
    return true
  }
}
