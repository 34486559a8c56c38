/**
 * Client recovery: the connection state recovery of one client that requested it with `auth.recover` (SIO-1).
 */
import type { GroupSummary } from '../../protocol/records.ts'
import type { ClientEvent } from './events-for-clients.ts'
import { type Position, type Recoverable, type Recoveries, Recovery } from './recovery.ts'

export class ClientRecovery {
  readonly #recoveries: Recoveries
  /** What the client sent with CONNECT, if it was connected before. */
  readonly #pid: unknown
  readonly #offset: unknown
  #recovery: Recovery | null = null
  #close: () => void = () => {}

  constructor(recoveries: Recoveries, { pid, offset }: Readonly<Record<string, unknown>>) {
    this.#recoveries = recoveries
    this.#pid = pid
    this.#offset = offset
  }

  /**
   * The client is connected, with these groups. Returns its pid, which is the one it had if its missed events
   * follow, and where those begin. `close` closes its session.
   */
  begin(
    userId: string,
    groups: readonly GroupSummary[],
    newPid: string,
    close: () => void,
  ): { readonly pid: string; readonly positions: readonly Position[] | null } {
    const known = this.#recoveries.take(this.#pid, userId)
    const positions = known?.rewind(this.#offset, groups) ?? null
    const recovery = known && positions ? known : new Recovery(newPid, userId, groups)
    this.#recovery = recovery
    this.#close = close
    this.#recoveries.begin(recovery, close)
    return { pid: recovery.pid, positions }
  }

  /** The event as it is sent; null if it has to wait. */
  next(event: ClientEvent): Recoverable | null {
    if (!this.#recovery) return event
    const next = this.#recovery.next(event)
    if (this.#recovery.isOverfull) this.#close()
    return next
  }

  /** The missed events are sent. Returns the events that waited. */
  resumed(): readonly ClientEvent[] {
    return this.#recovery?.resumed() ?? []
  }

  /** The client is disconnected. */
  end(): void {
    if (this.#recovery) this.#recoveries.end(this.#recovery)
    this.#recovery = null
  }
}
