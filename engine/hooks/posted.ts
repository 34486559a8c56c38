/**
 * Posted: what the hooks of the service receive about a durable message.
 */
import type { Message } from '../../protocol/records.ts'

/** What `afterMessage` is called for. Reactions and pins do not change a message's content. */
export type MessageChange = 'posted' | 'edited' | 'deleted' | 'recalled'

/** A durable message, or a change of one; for a new one also the members who were offline. */
export interface Posted {
  readonly message: Message
  /** Null if only the members in `away` are to be notified. */
  readonly change: MessageChange | null
  readonly away: readonly string[]
}
