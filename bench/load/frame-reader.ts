/**
 * Frame reader: WebSocket frames out of what a socket read, without an object per frame.
 *
 * It looks at headers only and hands on where a payload lies in the read buffer. A frame that is
 * split over reads is gathered in a buffer of its own first, so that whoever looks at a payload
 * sees all of it in one piece. Servers send neither masked nor fragmented frames here; one that
 * does is an error, never a wrong count.
 */

/** Opcodes of RFC 6455, 5.2. */
export const Opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameSink {
  /** A text or binary frame: its payload is `bytes[start]` up to `bytes[end]`, valid during the call only. */
  data(bytes: Uint8Array, start: number, end: number): void
  /** A close, ping or pong frame. */
  control(opcode: number, bytes: Uint8Array, start: number, end: number): void
}

const LONGEST_HEADER = 10
const FIN = 0x80
const LONGEST_FRAME_BYTES = 16 * 1024 * 1024

export class FrameReader {
  readonly #sink: FrameSink
  /** The beginning of a frame whose end has not been read yet. */
  #carry: Uint8Array = new Uint8Array(0)
  #carried = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Takes `bytes[from]` up to `bytes[to]`, the next piece of the stream. @throws Error for what no server sends. */
  read(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#carried > 0 ? this.#finishCarried(bytes, from, to) : from
    while (at < to) {
      const start = at + headerLength(bytes, at, to)
      const end = start <= to ? start + payloadLength(bytes, at) : Number.POSITIVE_INFINITY
      if (end > to) break
      this.#deliver(bytes, at, start, end)
      at = end
    }
    if (at < to) {
      this.#reserve(Math.max(to - at, LONGEST_HEADER))
      this.#carry.set(bytes.subarray(at, to))
      this.#carried = to - at
    }
  }

  /** Completes the frame that an earlier read began; returns where the next one starts. */
  #finishCarried(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    for (;;) {
      const start = headerLength(this.#carry, 0, this.#carried)
      const wanted = start <= this.#carried ? start + payloadLength(this.#carry, 0) : start
      if (wanted === this.#carried) {
        this.#carried = 0
        this.#deliver(this.#carry, 0, start, wanted)
        return at
      }
      if (at === to) return to
      this.#reserve(wanted)
      const taken = Math.min(wanted - this.#carried, to - at)
      this.#carry.set(bytes.subarray(at, at + taken), this.#carried)
      this.#carried += taken
      at += taken
    }
  }

  #reserve(bytes: number): void {
    if (bytes > LONGEST_FRAME_BYTES) throw new Error(`a frame of ${bytes} bytes came`)
    if (bytes <= this.#carry.length) return
    const larger = new Uint8Array(bytes)
    larger.set(this.#carry.subarray(0, this.#carried))
    this.#carry = larger
  }

  #deliver(bytes: Uint8Array, at: number, start: number, end: number): void {
    const first = bytes[at] as number
    const opcode = first & 0x0f
    if (first < FIN || opcode === 0) throw new Error('a fragmented frame came')
    if (opcode < Opcode.close) this.#sink.data(bytes, start, end)
    else this.#sink.control(opcode, bytes, start, end)
  }
}

/** Bytes of the header at `at`; 2 where not even its length byte has come. */
function headerLength(bytes: Uint8Array, at: number, to: number): number {
  if (to - at < 2) return 2
  const length = bytes[at + 1] as number
  if (length < 126) return 2
  if (length > 127) throw new Error('a masked frame came')
  return length === 126 ? 4 : LONGEST_HEADER
}

/** Bytes of the payload of the frame at `at`, whose header has come whole. */
function payloadLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1] as number
  if (length < 126) return length
  let wide = 0
  const end = at + (length === 126 ? 4 : LONGEST_HEADER)
  for (let i = at + 2; i < end; i++) wide = wide * 256 + (bytes[i] as number)
  return wide
}
