/**
 * Search for tests: a real log, and an index that advances only when the test requests it.
 */
import { onTestFinished } from 'vitest'
import { ChangedGroups } from '../../engine/search/changed-groups.ts'
import { Indexer } from '../../engine/search/indexer.ts'
import { LogFeed } from '../../engine/search/log-feed.ts'
import { searchMessages } from '../../engine/search/message-search.ts'
import { SearchIndex } from '../../engine/search/search-index.ts'
import { openReader } from '../../engine/storage/sqlite/database.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import type { ReadQuery } from '../../engine/stored/reads.ts'
import { parseQuery } from '../../engine/text/query.ts'
import { events } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import { aPost } from './groups.ts'
import { aGroupEntry, aMemberEntry, aStore } from './store.ts'

export type Filters = Omit<ReadQuery<'search'>, 'read' | 'terms' | 'userId'> & { readonly userId?: string }

/** A store with the group `g`, whose only member is Ana, and an empty index. */
export function aSearch(dataDir?: string) {
  const store = aStore(dataDir)
  store.writer.commit([aGroupEntry('g'), aMemberEntry('g', 'ana')])
  return { ...store, ...anIndex(store.dataDir, (entries) => store.writer.commit(entries)) }
}

/** The index of a data directory, closed when the test has ended. */
export function anIndex(dataDir: string, commit: (entries: readonly LogEntry[]) => void = () => {}) {
  const index = SearchIndex.open(dataDir)
  const feed = new LogFeed(openReader(dataDir))
  const clock = { ms: 0 }
  const indexer = new Indexer(index, feed, () => clock.ms)
  const changes = new ChangedGroups((note) => indexer.changed(note))
  const close = () => {
    index.close()
    feed.close()
  }
  onTestFinished(close)
  const search = (query: string, { userId = 'ana', ...filters }: Filters = {}) =>
    searchMessages(index, feed, { read: 'search', userId, terms: parseQuery(query), ...filters })
  return {
    index,
    indexer,
    clock,
    close,
    search,
    /** Commits, and notifies the indexer. */
    write(...entries: LogEntry[]) {
      commit(entries)
      changes.committed(entries)
      changes.handled()
    },
    /** Indexes all committed entries. */
    catchUp() {
      while (indexer.step() !== 'nothing');
    },
    /** The contents of the hits, in order. */
    found: (query: string, filters?: Filters) =>
      search(query, filters)?.hits.map((hit) => hit.message.content),
  }
}

/** A change of a message of the group `g`, with its event. */
export function aChange(
  event: 'message_edited' | 'message_deleted' | 'message_recalled',
  seq: number,
  target: number,
  change: Partial<Message>,
): LogEntry[] {
  const { code } = events[event]
  return [
    { type: 'change', message: { ...aPost(target), ...change } },
    { type: 'event', groupId: 'g', seq, code, at: seq, frame: Buffer.of(0), target },
  ]
}

/** The rest of a message after a delayed deletion. */
export const erased = { content: '', tempId: undefined }
