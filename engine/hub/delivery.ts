/**
 * Delivery: sends frames to sessions, in the order of the shards.
 *
 * Frames for a user wait for the `connected` of a session, which is its first frame. Bounded: a session
 * for which more than `MAX_EARLY` frames wait is closed.
 */
import { events } from '../../protocol/events.ts'
import { codeOf } from '../../protocol/frame-head.ts'
import type { HubSessions } from './hub-sessions.ts'
import { SendRun } from './send-run.ts'

/** Frames that wait for the `connected` of a session. */
const MAX_EARLY = 256

export class Delivery {
  readonly #sessions: HubSessions
  /** The frames that are sent together; it ends before anything else is done. */
  readonly run = new SendRun()

  constructor(sessions: HubSessions) {
    this.#sessions = sessions
  }

  /** Sends a frame to one session; after its `connected`, the frames that waited for it. */
  send(session: number, frame: Uint8Array): void {
    const known = this.#sessions.get(session)
    this.run.add(known?.port, frame)
    if (!known?.early || codeOf(frame) !== events.connected.code) return
    const { early } = known
    known.early = null
    for (const waited of early) this.run.add(known.port, waited)
  }

  /** Sends a frame to all sessions of a user except one; 0 is none. */
  sendUser(userId: string, frame: Uint8Array, exceptSession: number): void {
    for (const session of [...this.#sessions.ofUser(userId)]) {
      if (session.number === exceptSession) continue
      if (!session.early) this.run.add(session.port, frame)
      else if (session.early.length < MAX_EARLY) session.early.push(Uint8Array.from(frame))
      else session.port.close('failed')
    }
  }
}
