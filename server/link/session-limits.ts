/**
 * Session limits: where the engine's side decides about the sessions and requests of all fronts.
 *
 * A front charges its own limits first, so that a flood ends there. `listenForFronts` calls these for what
 * arrives from any front.
 */
import type { CloseReason } from '../../protocol/close-codes.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import type { MethodRequest } from '../../protocol/methods.ts'

export interface SessionLimits<Session = unknown> {
  /**
   * A session was opened, or continued, over a link. `close` closes it, at once or later. Returns what the
   * other calls receive for it. A continued session was allowed before; its earlier link may not have ended
   * yet, so that it is open twice for a moment.
   */
  opened(userId: string, close: (reason: CloseReason) => void, isContinued: boolean): Session
  closed(session: Session): void
  /** A request frame of so many bytes arrived. @throws ChatError that answers it; it is not passed on */
  received(session: Session, view: FrameView, bytes: number): void
  /** A user makes a request without a session. @throws ChatError */
  requested(userId: string, name: MethodRequest): void
}
