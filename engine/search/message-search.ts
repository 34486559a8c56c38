/**
 * Message search: from a query to a page of hits, newest first.
 *
 * The index only returns candidates. Every hit is built from the current message in the log, which
 * must still match the query. A message that was deleted or edited is therefore not found, even if
 * the index lags. Group membership is read from the log at the time of the search.
 */
import { limits } from '../../protocol/limits.ts'
import type { SearchHit } from '../../protocol/records.ts'
import { fitRows } from '../fit-rows.ts'
import type { ReadQuery, Reads } from '../storage/log.ts'
import { type LogFeed, searchableText } from './log-feed.ts'
import { comparePlaces, type SearchPlace } from './search-cursor.ts'
import {
  MAX_GROUP_TOKENS,
  msOf,
  numbersAbove,
  type Proposal,
  type Search,
  type SearchIndex,
} from './search-index.ts'
import { find } from './snippet.ts'

/** Proposals of the index that one search looks at: behind many edits not all of them hold. */
const MAX_LOOKED_AT = 2_000
/** Of somebody in many groups so many proposals are looked at, before SQLite sorts them out. */
const MAX_SORTED_OUT = 2_000

/** A page of hits, or null where the caller is not in the group they named. */
export function searchMessages(
  index: SearchIndex,
  feed: LogFeed,
  query: ReadQuery<'search'>,
): Reads['search']['result'] {
  return feed.snapshot(() => {
    const { userId, groupId, senderId } = query
    const group = groupId === undefined ? undefined : feed.groupKey(groupId)
    if (groupId !== undefined && (group === undefined || !feed.isMember(group, userId))) return null
    const sender = senderId === undefined ? undefined : feed.userKey(senderId)
    if (query.terms.length === 0 || (senderId !== undefined && sender === undefined)) return { hits: [] }
    const { terms, before, after, from } = query
    const search: Search = { terms, sender, before, after, below: from && numbersAbove(from[0]) }
    const proposed =
      group === undefined ? proposals(index, feed, search, userId) : index.search(search, [group])
    return page(feed, query, ordered(feed, proposed, from))
  })
}

/** What the index has of all groups of the user. */
function* proposals(index: SearchIndex, feed: LogFeed, search: Search, userId: string): Generator<Proposal> {
  const groups = feed.groupsOf(userId, MAX_GROUP_TOKENS + 1)
  if (groups.length === 0) return
  if (groups.length <= MAX_GROUP_TOKENS) {
    yield* index.search(search, groups)
    return
  }
  // Who is in many groups is likely to be in those of the newest hits. If not, they are listed.
  const known = new Map<number, boolean>()
  let lookedAt = 0
  let below: number | undefined
  for (const proposal of index.search(search, null)) {
    const [document, group] = proposal
    if (lookedAt === MAX_SORTED_OUT) {
      below = document + 1
      break
    }
    lookedAt += 1
    const isMember = known.get(group) ?? feed.isMember(group, userId)
    known.set(group, isMember)
    if (isMember) yield proposal
  }
  if (below !== undefined) yield* index.search({ ...search, below }, feed.groupsOf(userId))
}

/** A proposal with its place in the order of hits. */
interface Placed {
  readonly place: SearchPlace
  readonly group: number
}

/** Proposals in the order of hits, from the place after `from` on: those of one millisecond are sorted. */
function* ordered(
  feed: LogFeed,
  proposed: Iterable<Proposal>,
  from: SearchPlace | undefined,
): Generator<Placed> {
  const groupIds = new Map<number, string>()
  let tied: Placed[] = []
  for (const [document, group, seq] of proposed) {
    const groupId = groupIds.get(group) ?? feed.groupId(group) ?? ''
    groupIds.set(group, groupId)
    const place: SearchPlace = [msOf(document), groupId, seq]
    if (from && comparePlaces(place, from) <= 0) continue
    if (tied[0] && tied[0].place[0] !== place[0]) {
      yield* inOrder(tied)
      tied = []
    }
    tied.push({ place, group })
  }
  yield* inOrder(tied)
}

function inOrder(tied: Placed[]): readonly Placed[] {
  return tied.sort((a, b) => comparePlaces(a.place, b.place))
}

function page(
  feed: LogFeed,
  { terms, limit = limits.searchPageDefault }: ReadQuery<'search'>,
  proposed: Iterable<Placed>,
): NonNullable<Reads['search']['result']> {
  let lookedAt = 0
  let next: SearchPlace | undefined
  function* found(): Generator<SearchHit> {
    for (const { place, group } of proposed) {
      lookedAt += 1
      if (lookedAt > MAX_LOOKED_AT) return
      const message = feed.message(group, place[2])
      const snippet = message && find(searchableText(message), terms)
      if (snippet) yield { message, ...snippet }
      next = place
    }
  }
  const { rows: hits, hasMore } = fitRows(found(), limit)
  return hasMore || lookedAt > MAX_LOOKED_AT ? { hits, next } : { hits }
}
