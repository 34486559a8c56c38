/**
 * Wire: what a peer's clients and its server say to each other, as lean as the load needs it.
 *
 * A wire finds deliveries and acknowledgements by their first bytes and decodes nothing else. Where its
 * protocol offers to recover missed messages, and the work asks for it, the wire does that before it
 * reports the member as live.
 */
import type { Member } from './member.ts'

/** Receives what a wire has read. */
export interface WireListener {
  /** Members recover what they missed; the work is about interrupted connections. */
  readonly recovers: boolean
  live(member: Member): void
  /** A message of the group; its content is within `bytes[start..end]`. */
  delivered(member: Member, bytes: Buffer, start: number, end: number): void
  acknowledged(member: Member, key: number): void
  /** The server did not store the post, and asks to send it again later. */
  refused(member: Member, key: number, retryAfterMs: number): void
}

export interface Wire {
  readonly isText: boolean
  readonly subprotocol?: string
  /** The connection that sends a post receives it as well. */
  readonly deliversOwn: boolean
  /** The server answers each post. */
  readonly acknowledges: boolean
  /** The path of the upgrade; with the token if it stands in the query. */
  path(token: string): string
  /** The upgrade carries the token as a header. */
  readonly sendsBearer: boolean
  /** Called when the upgrade is accepted. */
  opened(member: Member, listener: WireListener): void
  /** Handles one WebSocket frame. */
  read(member: Member, bytes: Buffer, start: number, end: number, listener: WireListener): void
  /** One post to the member's group. `key` is 1 to 65,535, and names the post in its acknowledgement. */
  post(member: Member, content: string, key: number): Uint8Array
}

/** Text that a server sends if it does not do what the load expects: the run ends with it. */
export function unexpected(bytes: Buffer, start: number, end: number): Error {
  return new Error(
    `unexpected from the server: ${bytes.toString('latin1', start, Math.min(end, start + 300))}`,
  )
}

/** The decimal digits at this position. */
export function digitsAt(bytes: Buffer, at: number): number {
  let value = 0
  for (let i = at; ; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (!(digit >= 0 && digit <= 9)) return value
    value = value * 10 + digit
  }
}

/** The position after this text. */
export function after(bytes: Buffer, text: string, from: number, end: number): number {
  const at = bytes.indexOf(text, from, 'latin1')
  if (at < 0 || at >= end) throw unexpected(bytes, from, end)
  return at + text.length
}
