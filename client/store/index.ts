/**
 * `tertulia/store`: the state of the chats of one user, for pages and programs that show them.
 */
export { createMessageCache } from './cache/batched-cache.ts'
export type {
  CachedGroup,
  CachedItem,
  CachedPage,
  CachedState,
  MessageCache,
  OutboxEntry,
} from './cache/message-cache.ts'
export { ChatStore } from './chat-store.ts'
export type { ChatStoreOptions } from './store-options.ts'
export type { StoreSnapshot } from './store-snapshot.ts'
export { openTabChannel, type TabChannel } from './tab-channel.ts'
export { type TabLocks, webLocks } from './tab-locks.ts'
export type * from './types.ts'
