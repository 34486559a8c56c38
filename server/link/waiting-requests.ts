/**
 * Waiting requests: the requests of a front without an answer, and what happens to them when its link breaks.
 *
 * A request that was sent stays until its answer, so that it can be sent again over the next link. Only
 * requests that may be made twice are: reads, posts with their tempId (IDM-1), and those that set a state.
 * Others are answered by `unavailable`, because they may have been carried out (RES-2). A request with ref 0 has
 * no answer that differs from an event: it is forgotten once it is sent. Requests that arrive
 * while the link is down wait, in order. Bounded: `MAX_REQUESTS` and, of those that were not sent,
 * `MAX_WAITING_BYTES`; above them a request is refused as `overloaded` (OVL-1).
 */
import { overloaded } from '../../engine/base/refusals.ts'
import { decodeRequest, encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import { type RequestName, type RequestSpec, requests } from '../../protocol/requests.ts'
import type { FrontSession } from './front-sessions.ts'

const MAX_REQUESTS = 200_000
const MAX_WAITING_BYTES = 64 * 1024 * 1024
const RETRY_AFTER_MS = 500

/** Requests that write, and that may be made twice: the second one changes nothing. */
const repeatable = [
  'send_message',
  'message_delivered',
  'message_read',
  'typing_start',
  'typing_stop',
  'update_status',
  'join_group',
  'add_member',
  'ban_member',
  'invite_member',
  'mute_group',
  'react',
  'unreact',
  'pin_message',
  'unpin_message',
  'mark_unread',
  'block_user',
  'unblock_user',
  'ping',
] as const satisfies readonly RequestName[]

const repeatableRows = new Set<RequestSpec>(
  Object.entries<RequestSpec>(requests)
    .filter(([name, { budget }]) => budget === 'reads' || (repeatable as readonly string[]).includes(name))
    .map(([, row]) => row),
)

/** Whether a request may be made twice. */
export function isRepeatable(row: RequestSpec | null): boolean {
  return row === null || repeatableRows.has(row)
}

/** A request that may have been carried out, without an answer. */
export function maybeDone(): ChatError {
  const message = 'the engine did not answer; the request may have been carried out'
  return new ChatError('unavailable', message, { retryAfterMs: RETRY_AFTER_MS })
}

export interface WaitingRequest {
  readonly ref: number
  readonly row: RequestSpec | null
  frame: Uint8Array
  sent: boolean
}

export class WaitingRequests {
  #size = 0
  #waitingBytes = 0

  /** Requests without an answer. */
  get size(): number {
    return this.#size
  }

  /** Bytes of those that were not sent. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** A request that waits; the frame is copied. @throws ChatError `overloaded` */
  hold(session: FrontSession, frame: Uint8Array, view: FrameView): void {
    if (this.#waitingBytes + frame.length > MAX_WAITING_BYTES) throw overloaded()
    this.#add(session, { ref: view.ref, row: view.row, frame: Uint8Array.from(frame), sent: false })
    this.#waitingBytes += frame.length
  }

  /** A request that is sent; `frame` is not written again. @throws ChatError `overloaded` */
  sent(session: FrontSession, frame: Uint8Array, { ref, row }: FrameView): void {
    if (ref === 0) return
    // The bytes are a part of a batch, which a request that takes its time would hold.
    const own = row === requests.resume ? Uint8Array.from(frame) : frame
    this.#add(session, { ref, row, frame: own, sent: true })
  }

  /** An answer with this ref. */
  answered(session: FrontSession, ref: number): void {
    const { requests: waiting } = session
    if (!waiting) return
    const at = waiting.findIndex((request) => request.ref === ref)
    const request = waiting[at]
    if (!request) return
    // The engine serves the first `resume` of a session, and refuses others meanwhile.
    if (waiting.findIndex(({ row }) => row === requests.resume) === at) session.replayed = null
    waiting.splice(at, 1)
    this.#size -= 1
    if (waiting.length === 0) session.requests = null
  }

  /** Whether the session waits for the end of a `resume`. */
  isResuming({ requests: waiting }: FrontSession): boolean {
    return waiting?.some(({ row }) => row === requests.resume) ?? false
  }

  /** Those that the session sends over the next link, in order. */
  resend(session: FrontSession): readonly WaitingRequest[] {
    const waiting = session.requests ?? []
    for (const request of waiting) {
      if (request.sent && request.row === requests.resume) request.frame = continuedResume(session, request)
      if (!request.sent) this.#waitingBytes -= request.frame.length
      request.sent = true
    }
    const left = waiting.filter(({ ref }) => ref !== 0)
    this.#size -= waiting.length - left.length
    session.requests = left.length > 0 ? left : null
    return waiting
  }

  /** The link has broken: answers those that must not be made twice. */
  interrupted(session: FrontSession): void {
    this.#refuse(session, ({ sent, row }) => (sent && !isRepeatable(row) ? maybeDone() : null))
  }

  /** No link came in time: answers all. */
  expire(session: FrontSession): void {
    this.#refuse(session, () => overloaded())
  }

  /** The session is forgotten, without answers. */
  drop(session: FrontSession): void {
    for (const { sent, frame } of session.requests ?? []) {
      this.#size -= 1
      if (!sent) this.#waitingBytes -= frame.length
    }
    session.requests = null
  }

  #add(session: FrontSession, request: WaitingRequest): void {
    if (this.#size >= MAX_REQUESTS) throw overloaded()
    this.#size += 1
    session.requests ??= []
    session.requests.push(request)
  }

  #refuse(session: FrontSession, refusalOf: (request: WaitingRequest) => ChatError | null): void {
    const all = session.requests ?? []
    const left: WaitingRequest[] = []
    const refused: [ref: number, refusal: ChatError][] = []
    for (const request of all) {
      const refusal = refusalOf(request)
      if (!refusal) {
        left.push(request)
        continue
      }
      this.#size -= 1
      if (!request.sent) this.#waitingBytes -= request.frame.length
      refused.push([request.ref, refusal])
    }
    session.requests = left.length > 0 ? left : null
    for (const [ref, refusal] of refused) session.port.send(encodeEvent('error', ref, refusal.toFields()))
  }
}

/** The same `resume` from where its answer was interrupted. */
function continuedResume({ replayed }: FrontSession, { frame, ref }: WaitingRequest): Uint8Array {
  const request = decodeRequest(frame)
  if (!replayed || request.event !== 'resume') return frame
  const groups = request.fields.groups.map(
    ([groupId, seq]) => [groupId, Math.max(seq, replayed.get(`g:${groupId}`) ?? 0)] as const,
  )
  return encodeRequest('resume', ref, { groups } as never)
}
