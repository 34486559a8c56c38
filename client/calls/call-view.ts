/**
 * Call view: the state of the user's calls, for an interface to show. There is one call at a time.
 */
import type { CallEnd, SentMedia } from './call-message.ts'

/** What is sent or received, and the stream that has it. */
export interface CallMedia extends SentMedia {
  readonly stream: MediaStream | null
}

/** The two sides of a call. */
export interface CallInfo {
  readonly callId: string
  readonly groupId: string
  /** The other user. */
  readonly userId: string
  readonly direction: 'out' | 'in'
  readonly withVideo: boolean
  readonly local: CallMedia
  readonly remote: CallMedia
}

/**
 * - `calling`: waits for the other user to answer; `isRinging` once one of their devices rings.
 * - `ringing`: the other user calls: `accept` or `decline`.
 * - `connecting`, `connected`, `reconnecting`: answered. `connectedAt`: milliseconds since 1970.
 * - `ended`: until `dismiss` or the next call.
 */
export type CallView =
  | { readonly state: 'idle' }
  | ({ readonly state: 'calling'; readonly isRinging: boolean } & CallInfo)
  | ({ readonly state: 'ringing' } & CallInfo)
  | ({ readonly state: 'connecting' } & CallInfo)
  | ({ readonly state: 'connected' | 'reconnecting'; readonly connectedAt: number } & CallInfo)
  | ({ readonly state: 'ended'; readonly reason: CallEnd; readonly connectedAt: number | null } & CallInfo)
