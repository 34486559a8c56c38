/**
 * Message search: from a query to a page of hits, newest first.
 *
 * The index only proposes. Every hit is made from the message as it is in the log now, and must
 * still hold what was searched for: what was deleted or edited a moment ago is not found, however
 * far the index is behind. Who is in which group is what the log says at that moment.
 */
import { limits } from '../../protocol/limits.ts'
import type { SearchHit } from '../../protocol/records.ts'
import type { ReadQuery, Reads } from '../storage/log.ts'
import { type LogFeed, searchableText } from './log-feed.ts'
import type { SearchIndex } from './search-index.ts'
import { find } from './snippet.ts'

/** Proposals of the index that one search looks at: behind many edits not all of them hold. */
const MAX_LOOKED_AT = 2_000
/** A page ends before its contents are larger: one answer must fit a connection's buffer. */
const PAGE_BYTES = 512 * 1024

/** A page of hits, or null where the caller is not in the group they named. */
export function searchMessages(
  index: SearchIndex,
  feed: LogFeed,
  query: ReadQuery<'search'>,
): Reads['search']['result'] {
  return feed.snapshot(() => {
    const groups = groupsToSearch(feed, query)
    if (groups === null) return null
    const sender = query.senderId === undefined ? undefined : feed.userKey(query.senderId)
    const nobody = query.senderId !== undefined && sender === undefined
    if (groups.length === 0 || nobody) return { hits: [], hasMore: false }
    return page(index, feed, query, groups, sender)
  })
}

function page(
  index: SearchIndex,
  feed: LogFeed,
  { terms, limit = limits.searchPageDefault, before, after }: ReadQuery<'search'>,
  groups: readonly number[],
  sender: number | undefined,
): { readonly hits: readonly SearchHit[]; readonly hasMore: boolean } {
  const hits: SearchHit[] = []
  let bytes = 0
  let lookedAt = 0
  for (const [group, seq] of index.search({ terms, groups, sender, before, after })) {
    lookedAt += 1
    if (lookedAt > MAX_LOOKED_AT) return { hits, hasMore: true }
    const message = feed.message(group, seq)
    const found = message && find(searchableText(message), terms)
    if (!found) continue
    bytes += message.content.length * 2
    if (hits.length === limit || (hits.length > 0 && bytes > PAGE_BYTES)) return { hits, hasMore: true }
    hits.push({ message, ...found })
  }
  return { hits, hasMore: false }
}

function groupsToSearch(feed: LogFeed, { userId, groupId }: ReadQuery<'search'>): readonly number[] | null {
  const groups = feed.groupsOf(userId)
  if (groupId === undefined) return groups
  const group = feed.groupKey(groupId)
  return group !== undefined && groups.includes(group) ? [group] : null
}
