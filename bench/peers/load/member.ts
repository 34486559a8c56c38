/**
 * Member: one user of a crowd, over the life of several connections.
 *
 * What a wire needs to find missed messages after a reconnection stands here: the session of Socket.IO, the
 * newest seq of Tertulia, an incomplete message of a byte stream.
 */
import type { LeanClient } from '../../load/lean-client.ts'

export interface Member {
  /** The user is `u<index>`. */
  readonly index: number
  /** The group is `g<group>`. */
  readonly group: number
  readonly token: string
  client: LeanClient | null
  /** Authenticated, subscribed, and with all missed messages if the wire recovers them. */
  isLive: boolean
  /** Has been live before: the next connection recovers. */
  isReturning: boolean
  /** Deliveries received. */
  posts: number
  /** The beginning of a message that continues in the next frame. */
  rest: Buffer | null
  /** Socket.IO: the private session id and the offset of the newest event. */
  sessionId: string
  offset: string
  /** Tertulia: the newest seq without a gap before it, and the newest that arrived while missed ones were awaited. */
  seq: number
  liveSeq: number
  isResuming: boolean
  /** Posts without an acknowledgement, by key; only if the crowd repeats them. */
  unacknowledged: Map<number, Uint8Array> | null
}

export function newMember(index: number, group: number, token: string): Member {
  return {
    index,
    group,
    token,
    client: null,
    isLive: false,
    isReturning: false,
    posts: 0,
    rest: null,
    sessionId: '',
    offset: '',
    seq: 0,
    liveSeq: 0,
    isResuming: false,
    unacknowledged: null,
  }
}
