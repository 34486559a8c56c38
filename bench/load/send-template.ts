/**
 * Send template: `send_message` frames made by patching digits, without encoding anything.
 *
 * The content begins with a marker of fixed form, `~~` and sixteen digits: the time at which the
 * message was meant to be sent. It comes back in `new_message` and `message_sent`, so that any
 * receiver can tell how long the message took. `~~` stands nowhere before it in those frames: ids
 * and names of the bench hold none, and no length or number there is 126 twice in a row.
 */
import { encodeRequest } from '../../protocol/codec.ts'

/** Bytes of a message's content. */
export const CONTENT_BYTES = 64

const TIME_DIGITS = 16
const COUNT_DIGITS = 10
const MARK = 0x7e
const ZERO = 0x30
const MARKER = `~~${'0'.repeat(TIME_DIGITS)}`
const TEMP_ID = `t${'0'.repeat(COUNT_DIGITS)}`
/** Where the ref stands, as one byte: `[code, ref, …]`. */
const REF_AT = 2
const LARGEST_REF = 127

/** The content of every message, but for its time. */
export const sampleContent = `${MARKER} ${'tertulia '.repeat(CONTENT_BYTES)}`.slice(0, CONTENT_BYTES)
/** The tempId of every message, but for its number. */
export const sampleTempId = TEMP_ID

export class SendTemplate {
  readonly #frame: Uint8Array
  readonly #timeAt: number
  readonly #countAt: number

  constructor(groupId: string) {
    const fields = { groupId, content: sampleContent, tempId: TEMP_ID }
    const frame = Buffer.from(encodeRequest('send_message', 1, fields))
    this.#frame = frame
    this.#timeAt = frame.indexOf(MARKER) + 2
    this.#countAt = frame.indexOf(TEMP_ID) + 1
  }

  /**
   * The frame with this ref (1 to 127), this number in its tempId and this intended time. Valid
   * until the next call.
   */
  stamp(ref: number, count: number, intendedMicros: number): Uint8Array {
    if (ref < 1 || ref > LARGEST_REF) throw new Error(`a ref of ${ref} takes more than one byte`)
    this.#frame[REF_AT] = ref
    writeDigits(this.#frame, this.#countAt, COUNT_DIGITS, count)
    writeDigits(this.#frame, this.#timeAt, TIME_DIGITS, Math.floor(intendedMicros))
    return this.#frame
  }
}

/** The intended time in a frame that holds a message; NaN where it holds no marker. */
export function intendedMicrosIn(bytes: Uint8Array, start: number, end: number): number {
  const last = end - TIME_DIGITS - 2
  for (let at = start; at <= last; at++) {
    if (bytes[at] !== MARK || bytes[at + 1] !== MARK) continue
    let micros = 0
    for (let i = at + 2; i < at + 2 + TIME_DIGITS; i++) micros = micros * 10 + (bytes[i] as number) - ZERO
    return micros
  }
  return Number.NaN
}

function writeDigits(bytes: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    const higher = Math.floor(rest / 10)
    bytes[i] = ZERO + rest - higher * 10
    rest = higher
  }
}
