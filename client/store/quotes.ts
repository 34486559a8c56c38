/**
 * Quotes: messages outside of a window that messages in it reply to. Requested when they are first shown.
 * Bounded by `MAX_QUOTES`.
 */
import type { Message } from '../../protocol/records.ts'
import { seqOf } from './message-changes.ts'
import type { StoreCore } from './store-core.ts'

const MAX_QUOTES = 200

export class Quotes {
  readonly #groupId: string
  readonly #core: Pick<StoreCore, 'request' | 'isConnected'>
  readonly #onChange: () => void
  /** Null while the message is being loaded. */
  readonly #messages = new Map<string, Message | null>()

  constructor(groupId: string, core: Pick<StoreCore, 'request' | 'isConnected'>, onChange: () => void) {
    this.#groupId = groupId
    this.#core = core
    this.#onChange = onChange
  }

  find(messageId: string): Message | undefined {
    return this.#messages.get(messageId) ?? undefined
  }

  change(messageId: string, change: (message: Message) => Message): void {
    const quote = this.#messages.get(messageId)
    if (quote) this.#messages.set(messageId, change(quote))
  }

  clear(): void {
    this.#messages.clear()
  }

  /** Requests a message that is not known. */
  load(messageId: string): void {
    if (this.#messages.has(messageId) || !this.#core.isConnected) return
    if (this.#messages.size >= MAX_QUOTES) this.#messages.delete(this.#messages.keys().next().value ?? '')
    this.#messages.set(messageId, null)
    const after = seqOf(messageId) - 1
    this.#core.request('get_history', { groupId: this.#groupId, after, limit: 1 }).then(
      ({ messages: [message] }) => {
        // It may have been forgotten meanwhile, for instance because it changed.
        if (message?.messageId !== messageId || this.#messages.get(messageId) !== null) return
        this.#messages.set(messageId, message)
        this.#onChange()
      },
      () => this.#messages.delete(messageId),
    )
  }
}
