/**
 * Store options: what a `ChatStore` is made with.
 */
import type { TokenSource } from '../link.ts'
import type { ChatClientOptions } from '../options.ts'
import type { MessageCache } from './cache/message-cache.ts'
import type { StoreSnapshot } from './store-snapshot.ts'
import type { TabChannel } from './tab-channel.ts'
import type { TabLocks } from './tab-locks.ts'

export interface ChatStoreOptions extends Pick<ChatClientOptions, 'url' | 'clock' | 'openSocket'> {
  /** A token, or a function that returns one; with a function the store outlives a single token. */
  readonly token: TokenSource
  /** The user of the token, so that the cached state of another user is never shown. */
  readonly userId?: string | undefined
  /** Where the state is stored; in IndexedDB by default, in memory without it. */
  readonly cache?: MessageCache | undefined
  /** How the tabs of a browser find each other; false if this one has a connection of its own. */
  readonly tabs?: { readonly channel: TabChannel; readonly locks: TabLocks } | false | undefined
  /** Shown before anything is loaded. */
  readonly snapshot?: StoreSnapshot | undefined
}

/** The names of the databases and locks of all users of a server begin with it. */
export const prefixOf = (url: string): string => `tertulia ${url} `
