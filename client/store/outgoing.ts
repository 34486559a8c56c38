/**
 * Outgoing: the outbox of the user, as data: messages and changes of messages that have no final answer.
 *
 * Every tab shows all entries; the tab that leads sends them. An entry is stored before it is sent, and removed
 * by its answer. Messages are sent by the `ChatClient`, in the order of each group; after a restart each may
 * have been sent before, so that it is repeated only if its group's missed events do not contain it (IDM-1).
 * Changes (edits, reactions, read marks) follow one at a time per group, and again after a lost answer: the
 * last value wins. A file's message waits for its upload, and does not delay the others.
 * Bounded: above `MAX_ENTRIES`, `limit_reached`.
 */
import { ChatError, errors } from '../../protocol/errors.ts'
import type { MethodRequest } from '../../protocol/methods.ts'
import type { Message } from '../../protocol/records.ts'
import type { RequestFields } from '../../protocol/requests.ts'
import type { ChatClient } from '../chat-client.ts'
import { ClientError } from '../client-error.ts'
import type { Clock } from '../clock.ts'
import { makeTempId } from '../temp-id.ts'
import type { MessageCache, OutboxEntry } from './cache/message-cache.ts'
import { failureOf, isUnanswered } from './failure.ts'
import type { StoreEvents } from './store-event.ts'
import type { Failure } from './types.ts'

const MAX_ENTRIES = 1_000
const RETRY_MS = 2_000

export type SendFields = Partial<RequestFields<'send_message'>> & { readonly content: string }

export interface OutgoingOptions {
  readonly cache: Pick<MessageCache, 'put' | 'remove'>
  readonly clock: Clock
  /** The entries of a group have changed. */
  readonly onChange: (groupId: string) => void
  /** Whether the file of an entry is on this device. */
  readonly hasUpload: (uploadId: string) => boolean
  /** Leader: an entry has its final answer. */
  readonly onSettled: (settled: StoreEvents['settled']) => void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (failure: Failure) => void
}

export class Outgoing {
  readonly #options: OutgoingOptions
  readonly #entries = new Map<string, OutboxEntry>()
  readonly #waiters = new Map<string, Waiter[]>()
  readonly #sending = new Set<string>()
  /** Groups whose changes are being sent. */
  readonly #busy = new Set<string>()
  #client: ChatClient | null = null
  #lastOrder = 0

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  get(key: string): OutboxEntry | undefined {
    return this.#entries.get(key)
  }

  get all(): readonly OutboxEntry[] {
    return [...this.#entries.values()]
  }

  /** The entries of a group, in the order of sending. */
  of(groupId: string): readonly OutboxEntry[] {
    const own = [...this.#entries.values()].filter((entry) => entry.groupId === groupId)
    return own.sort((a, b) => a.order - b.order)
  }

  /** For each group the seq above which its entries may have been sent. */
  sentAfter(): ReadonlyMap<string, number> {
    const after = new Map<string, number>()
    for (const { groupId, request, afterSeq = 0 } of this.#entries.values()) {
      if (request === 'send_message') after.set(groupId, Math.min(afterSeq, after.get(groupId) ?? afterSeq))
    }
    return after
  }

  /** Stores an entry and sends it. An entry of the same key is replaced. */
  add(entry: Pick<OutboxEntry, 'groupId' | 'request' | 'fields'> & Partial<OutboxEntry>): OutboxEntry {
    if (this.#entries.size >= MAX_ENTRIES) {
      throw new ChatError('limit_reached', `at most ${MAX_ENTRIES} changes may wait for a connection`)
    }
    const now = Date.now()
    this.#lastOrder = Math.max(now, this.#lastOrder + 1)
    const added = { key: makeTempId(), createdAt: now, order: this.#lastOrder, ...entry }
    this.#put(added)
    return added
  }

  /** Resolves with the final answer to an entry; rejects with its failure. */
  settled(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), { resolve, reject }])
    })
  }

  /** Changes an entry, for instance after its file was uploaded, or to send it again after a failure. */
  change(key: string, change: Partial<OutboxEntry>): void {
    const entry = this.#entries.get(key)
    if (entry) this.#put({ ...entry, ...change })
  }

  discard(key: string): void {
    if (!this.#entries.has(key)) return
    this.#options.cache.remove('outbox', key)
    this.remove(key)
  }

  /** The entries of the cache, or one that another tab has stored. */
  restore(entries: readonly OutboxEntry[], isNew = false): void {
    for (const entry of entries) {
      this.#entries.set(entry.key, entry)
      this.#lastOrder = Math.max(this.#lastOrder, entry.order)
      this.#options.onChange(entry.groupId)
      if (isNew) this.#send(entry, false)
    }
  }

  /** All entries of the cache: others were answered while this tab was frozen. */
  replace(entries: readonly OutboxEntry[]): void {
    const keys = new Set(entries.map(({ key }) => key))
    for (const entry of [...this.#entries.values()]) if (!keys.has(entry.key)) this.settle({ entry })
    this.restore(entries)
  }

  remove(key: string): void {
    const entry = this.#entries.get(key)
    if (!this.#entries.delete(key) || !entry) return
    this.#options.onChange(entry.groupId)
  }

  /** Leader: sends what is stored. Call it before `client` connects. */
  start(client: ChatClient): void {
    this.#client = client
    for (const entry of [...this.#entries.values()].sort((a, b) => a.order - b.order)) this.#send(entry, true)
  }

  stop(): void {
    this.#client = null
    this.#sending.clear()
    this.#busy.clear()
  }

  /** Leader: all missed events have arrived; changes are sent. */
  online(): void {
    for (const { groupId } of this.#entries.values()) void this.#sendChanges(groupId)
  }

  /** Every tab: an entry has its final answer. */
  settle({ entry, failure }: StoreEvents['settled']): void {
    const { key, request } = entry
    const isReplaced = this.#entries.get(key)?.order !== entry.order
    if (failure && request === 'send_message') {
      if (!isReplaced) this.#entries.set(key, { ...entry, failure })
      this.#options.onChange(entry.groupId)
    } else if (!isReplaced) this.remove(key)
    for (const { resolve, reject } of this.#waiters.get(key) ?? []) failure ? reject(failure) : resolve()
    this.#waiters.delete(key)
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.remove(key)
    for (const waiters of this.#waiters.values()) {
      for (const { reject } of waiters) reject(failureOf(new ClientError('closed')))
    }
    this.#waiters.clear()
  }

  #put(entry: OutboxEntry): void {
    this.#options.cache.put('outbox', entry)
    this.restore([entry], true)
  }

  #send(entry: OutboxEntry, mayHaveBeenSent: boolean): void {
    const { key, groupId, request, fields, failure, uploadId } = entry
    const client = this.#client
    if (!client || failure) return
    if (uploadId !== undefined) {
      const lost: Failure = { code: 'bad_file', message: 'the page ended before the file was stored' }
      if (!this.#options.hasUpload(uploadId)) this.change(key, { failure: lost })
      return
    }
    if (request !== 'send_message') {
      void this.#sendChanges(groupId)
      return
    }
    if (this.#sending.has(key)) return
    this.#sending.add(key)
    const message = { ...(fields as SendFields), groupId, tempId: key }
    const sent = mayHaveBeenSent ? client.resendMessage(message) : client.sendMessage(message)
    sent.then(
      (answer) => this.#onAnswer(client, entry, answer.message),
      (error: unknown) => this.#onAnswer(client, entry, undefined, error),
    )
  }

  async #sendChanges(groupId: string): Promise<void> {
    const client = this.#client
    if (client?.state.state !== 'connected' || this.#busy.has(groupId)) return
    this.#busy.add(groupId)
    const next = () => this.of(groupId).find(({ request, failure }) => request !== 'send_message' && !failure)
    for (let entry = next(); entry && this.#client === client; entry = next()) {
      try {
        await client.request(entry.request as MethodRequest, entry.fields as never)
        this.#onAnswer(client, entry)
      } catch (error) {
        if (isUnanswered(error) || (error instanceof ChatError && errors[error.code].retry)) {
          const retryMs = error instanceof ChatError ? error.retryAfterMs : undefined
          this.#options.clock.after(retryMs ?? RETRY_MS, () => void this.#sendChanges(groupId))
          break
        }
        this.#onAnswer(client, entry, undefined, error)
      }
    }
    if (this.#client === client) this.#busy.delete(groupId)
  }

  #onAnswer(client: ChatClient, entry: OutboxEntry, message?: Message, error?: unknown): void {
    if (this.#client !== client) return
    this.#sending.delete(entry.key)
    // The client was closed: the next run sends the message.
    if (error !== undefined && isUnanswered(error)) return
    const failure = error === undefined ? undefined : failureOf(error)
    const isReplaced = this.#entries.get(entry.key)?.order !== entry.order
    // First, so that the other tabs show the stored message before the entry is removed.
    this.#options.onSettled({ entry, message, failure })
    if (isReplaced) return
    if (failure && entry.request === 'send_message') this.#options.cache.put('outbox', { ...entry, failure })
    else this.#options.cache.remove('outbox', entry.key)
  }
}
