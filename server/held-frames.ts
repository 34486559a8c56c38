/**
 * Held frames: the frames that a client sent before `connected`, in order. Bounded: a client may send at
 * most 32 frames and 16 KiB before `connected`.
 */
import { MAX_NEWCOMER_BYTES } from './newcomers.ts'

interface HeldFrame {
  readonly bytes: Uint8Array
  readonly isBinary: boolean
}

const MAX_FRAMES = 32

export class HeldFrames {
  readonly frames: HeldFrame[] = []
  #bytes = 0

  /** Stores a copy of the frame; false if the limit is reached. */
  hold(bytes: Uint8Array, isBinary: boolean): boolean {
    if (this.frames.length >= MAX_FRAMES || this.#bytes + bytes.length > MAX_NEWCOMER_BYTES) return false
    this.#bytes += bytes.length
    this.frames.push({ bytes: bytes.slice(), isBinary })
    return true
  }
}
