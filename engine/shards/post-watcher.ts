/**
 * Post watcher: what is notified of the posts of a shard's groups, in the shard. The hooks of the service
 * have one (`hooks/post-reports.ts`); the shard does not know what it reports.
 */
import type { Message } from '../../protocol/records.ts'
import type { EventSource } from '../actors/actor-context.ts'
import type { Views } from '../log/views.ts'
import type { BatchWriter } from '../threads/batch.ts'
import type { Ledger } from './ledger.ts'
import type { PresenceDirectory } from './presence-directory.ts'
import type { Replies } from './replies.ts'

export interface PostWatcher {
  /** A post was recorded. */
  posted(message: Message, group: EventSource): void
  /** A post was changed. */
  changed(before: Message, message: Message, group: EventSource): void
}

/** The parts of the shard that a watcher uses. */
export interface WatcherDeps {
  readonly now: () => number
  readonly toHub: BatchWriter
  readonly replies: Replies
  readonly ledger: Ledger
  readonly views: Views
  readonly directory: PresenceDirectory
}

/** Creates the watcher of a shard. */
export type WatchPosts = (deps: WatcherDeps) => PostWatcher
