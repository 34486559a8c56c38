/**
 * Import batch: the log entries that are written together, and what they contain that the tables do not have yet.
 */
import type { Writer } from '../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { type EventFields, type EventName, events } from '../../protocol/events.ts'

/** Entries that are written together, plus those of one group. */
const WRITTEN_AT_ONCE = 256

export class ImportBatch {
  readonly #writer: Writer
  #entries: LogEntry[] = []
  /** The members in the entries, by group key and user id. */
  readonly joined = new Set<string>()
  /** The senders of the messages in the entries, by message id. */
  readonly senders = new Map<string, string>()

  constructor(writer: Writer) {
    this.#writer = writer
  }

  add(entry: LogEntry): void {
    this.#entries.push(entry)
  }

  /** Adds a durable event; `target` is the number of the post that it is about. */
  event<N extends EventName>(
    groupId: string,
    seq: number,
    at: number,
    name: N,
    fields: EventFields<N>,
    target?: number,
  ): void {
    const { code } = events[name]
    this.add({ type: 'event', groupId, seq, code, at, frame: encodeEvent(name, 0, fields), target })
  }

  /** Writes the entries if there are many. */
  writeIfLarge(): void {
    if (this.#entries.length >= WRITTEN_AT_ONCE) this.write()
  }

  write(): void {
    if (this.#entries.length === 0) return
    const entries = this.#entries
    this.forget()
    this.#writer.commit(entries)
  }

  /** Discards the entries: the transaction is rolled back. */
  forget(): void {
    this.#entries = []
    this.joined.clear()
    this.senders.clear()
  }
}
