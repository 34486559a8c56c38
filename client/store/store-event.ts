/**
 * Store events: what changes the state of a store, in every tab in the same order. The leading tab passes the
 * events of its `ChatClient` on, and adds the final answers to what it sends from the outbox.
 */
import type { Message } from '../../protocol/records.ts'
import type { ClientEvents } from '../chat-client.ts'
import type { OutboxEntry } from './cache/message-cache.ts'
import type { Failure, UploadItem } from './types.ts'

export type StoreEvents = ClientEvents & {
  /** An entry of the outbox has its final answer. */
  readonly settled: {
    readonly entry: OutboxEntry
    readonly message?: Message | undefined
    readonly failure?: Failure | undefined
  }
  /** The uploads as the leading tab shows them. */
  readonly uploads: readonly UploadItem[]
  /** The user turned notifications of a group off or on. */
  readonly muted: { readonly groupId: string; readonly until?: number | undefined }
}

export type StoreEvent = {
  readonly [N in keyof StoreEvents]: { readonly event: N; readonly fields: StoreEvents[N] }
}[keyof StoreEvents]
