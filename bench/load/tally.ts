/**
 * Tally: how many frames of each event have come to a process, and who wants to see some.
 *
 * A server frame is `[code, ref, …]` and its code one byte, the second of the payload. Counting by
 * it is all that is done with most frames; a hook sees the bytes of those that a measurement
 * needs. The first refusal is kept in words, for the error that ends the bench.
 */
import { decodeEvent } from '../../protocol/codec.ts'
import { type EventName, events } from '../../protocol/events.ts'
import type { LeanClient } from './lean-client.ts'

/** Looks at one frame; the bytes are valid during the call only. */
export type FrameHook = (client: LeanClient, bytes: Uint8Array, start: number, end: number) => void

const CODES = 128

export class Tally {
  readonly #counts = new Float64Array(CODES)
  readonly #hooks = new Array<FrameHook | null>(CODES).fill(null)
  #firstRefusal: string | null = null

  constructor() {
    const refused: FrameHook = (_client, bytes, start, end) => this.keepRefusal(bytes, start, end)
    this.on('error', refused)
    this.on('message_error', refused)
  }

  /** Counts one frame. */
  add(client: LeanClient, bytes: Uint8Array, start: number, end: number): void {
    const code = bytes[start + 1] as number
    ;(this.#counts[code] as number)++
    const hook = this.#hooks[code]
    if (hook) hook(client, bytes, start, end)
  }

  /** Shows frames of one event to `hook`, in place of any before it; null to none. */
  on(event: EventName, hook: FrameHook | null): void {
    this.#hooks[events[event].code] = hook
  }

  /** Frames of this event so far. */
  count(event: EventName): number {
    return this.#counts[events[event].code] as number
  }

  /** Remembers a refusal, if it is the first. */
  keepRefusal(bytes: Uint8Array, start: number, end: number): void {
    this.#firstRefusal ??= JSON.stringify(decodeEvent(bytes.subarray(start, end))?.fields)
  }

  /** What the first `error` or `message_error` said, or null. */
  get firstRefusal(): string | null {
    return this.#firstRefusal
  }
}
