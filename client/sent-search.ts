/**
 * Sent search: looks for unanswered messages in a part of the log that `resume` did not replay.
 *
 * Above 10,000 missed events `resume` replays none, and the server remembers a `tempId` for at most
 * 1,024 messages. So before such a message is sent again, the history of that part is paged to find
 * it (IDM-1). A search continues over reconnects; one that is interrupted by the end of the client
 * starts again with the next connection. Bounded by the groups with unanswered messages.
 */
import { ChatError, errors } from '../protocol/errors.ts'
import type { SendRequest } from '../protocol/methods.ts'
import type { Gap, Message } from '../protocol/records.ts'
import { backoffMs } from './backoff.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Missed } from './group-logs.ts'
import { historyPage } from './wire-numbers.ts'

export interface SentSearchOptions {
  readonly ask: SendRequest
  readonly clock: Clock
  /** Whether messages of the group wait for the result. */
  readonly isNeeded: (groupId: string) => boolean
  readonly onPage: (groupId: string, messages: readonly Message[], gaps: readonly Gap[]) => void
  /** Everything up to `to` was searched. */
  readonly onDone: (groupId: string, to: number) => void
}

interface Range {
  /** Exclusive. */
  after: number
  /** Inclusive. */
  to: number
  running: boolean
}

export class SentSearch {
  readonly #options: SentSearchOptions
  readonly #ranges = new Map<string, Range>()

  constructor(options: SentSearchOptions) {
    this.#options = options
  }

  /** Whether the group has a part to search. */
  has(groupId: string): boolean {
    return this.#ranges.has(groupId)
  }

  /** Adds a part that `resume` did not replay. */
  add({ groupId, from, to }: Missed): void {
    if (!this.#options.isNeeded(groupId)) return
    const known = this.#ranges.get(groupId)
    if (known) known.to = to
    else this.#ranges.set(groupId, { after: from - 1, to, running: false })
  }

  /** Starts the search in the group, if it is not running. */
  start(groupId: string): void {
    const range = this.#ranges.get(groupId)
    if (range && !range.running) void this.#run(groupId, range)
  }

  clear(): void {
    this.#ranges.clear()
  }

  async #run(groupId: string, range: Range): Promise<void> {
    const { ask, clock, isNeeded, onPage, onDone } = this.#options
    range.running = true
    for (let failures = 0; range.after < range.to && isNeeded(groupId); ) {
      try {
        const { after } = range
        const page = await ask('get_history', { groupId, after, limit: historyPage })
        if (this.#ranges.get(groupId) !== range) return
        failures = 0
        onPage(groupId, page.messages, page.gaps ?? [])
        range.after = page.hasMore ? (page.messages.at(-1)?.seq ?? range.to) : range.to
      } catch (error) {
        if (isClosed(error)) {
          range.running = false
          return
        }
        // The group rejects the request. Sending the message again reports the reason.
        if (error instanceof ChatError && !errors[error.code].retry) break
        failures += 1
        const waitMs =
          (error instanceof ChatError ? error.retryAfterMs : undefined) ?? backoffMs(failures, clock)
        await new Promise<void>((resolve) => clock.after(waitMs, resolve))
      }
    }
    if (this.#ranges.get(groupId) !== range) return
    this.#ranges.delete(groupId)
    onDone(groupId, range.to)
  }
}

/** Whether there is no connection and no attempt to connect. */
function isClosed(error: unknown): boolean {
  return error instanceof ClientError && (error.code === 'closed' || error.code === 'refused')
}
