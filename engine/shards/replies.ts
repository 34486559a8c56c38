/**
 * Replies: what a shard sends to one session or to the operator's log, without waiting for anything.
 */
import { encodeEvent } from '../../protocol/codec.ts'
import type { ChatError } from '../../protocol/errors.ts'
import type { Caller } from '../actors/caller.ts'
import type { BatchWriter } from '../threads/batch.ts'
import { pack } from '../threads/packing.ts'
import { ToHub } from './hub-records.ts'

export class Replies {
  readonly #toHub: BatchWriter
  readonly #now: () => number

  constructor(toHub: BatchWriter, now: () => number) {
    this.#toHub = toHub
    this.#now = now
  }

  send(session: number, frame: Uint8Array): void {
    this.#toHub.push(ToHub.send, session, undefined, frame)
  }

  /** Answers with an `error`, or a post, by its `tempId`, with a `message_error`. */
  refuse(to: Caller, error: ChatError, tempId?: string | undefined): void {
    const frame =
      tempId === undefined
        ? encodeEvent('error', to.ref, error.toFields())
        : encodeEvent('message_error', to.ref, { tempId, error: error.toFields(), timestamp: this.#now() })
    this.send(to.session, frame)
  }

  /** Logs an error for which no caller can be answered. */
  report(error: unknown, what: string): void {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#toHub.push(ToHub.log, 2, Buffer.from(what), pack({ cause }))
  }
}
