/**
 * Message search: from a query to a page of hits, newest first.
 *
 * The index only returns candidates. Every hit is built from the current message in the log, which
 * must still match the query. A message that was deleted or edited is therefore not found, even if
 * the index lags. Group membership is read from the log at the time of the search.
 */
import { limits } from '../../protocol/limits.ts'
import type { SearchHit } from '../../protocol/records.ts'
import { fitRows } from '../base/fit-rows.ts'
import type { ReadQuery, Reads } from '../stored/reads.ts'
import { comparePlaces, type SearchPlace } from '../stored/search-cursor.ts'
import { msOf, numbersAbove } from './document-number.ts'
import type { Candidate } from './index-tables.ts'
import { type LogFeed, searchableText } from './log-feed.ts'
import { MAX_GROUP_TOKENS, type Search, type SearchIndex } from './search-index.ts'
import { find } from './snippet.ts'

/** Candidates that one search checks. After many edits, some of them do not match any more. */
const MAX_CHECKED = 2_000
/** For a user in many groups: candidates that are checked one by one before SQLite filters by group. */
const MAX_FILTERED = 2_000

/** A page of hits, or null if the caller is not a member of the given group. */
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
    const candidatesFound =
      group === undefined ? candidates(index, feed, search, userId) : index.search(search, [group])
    return page(feed, query, ordered(feed, candidatesFound, from))
  })
}

/** Candidates from all groups of the user. */
function* candidates(
  index: SearchIndex,
  feed: LogFeed,
  search: Search,
  userId: string,
): Generator<Candidate> {
  const groups = feed.groupsOf(userId, MAX_GROUP_TOKENS + 1)
  if (groups.length === 0) return
  if (groups.length <= MAX_GROUP_TOKENS) {
    yield* index.search(search, groups)
    return
  }
  // A user in many groups is probably a member of the groups of the newest hits. Otherwise, SQLite
  // filters by the user's groups.
  const known = new Map<number, boolean>()
  let checked = 0
  let below: number | undefined
  for (const candidate of index.search(search, null)) {
    const [document, group] = candidate
    if (checked === MAX_FILTERED) {
      below = document + 1
      break
    }
    checked += 1
    const isMember = known.get(group) ?? feed.isMember(group, userId)
    known.set(group, isMember)
    if (isMember) yield candidate
  }
  if (below !== undefined) yield* index.search({ ...search, below }, feed.groupsOf(userId))
}

/** A candidate and its position in the order of hits. */
interface Placed {
  readonly place: SearchPlace
  readonly group: number
}

/** Candidates after the position `from`, in the order of hits: those of one millisecond are sorted. */
function* ordered(
  feed: LogFeed,
  candidatesFound: Iterable<Candidate>,
  from: SearchPlace | undefined,
): Generator<Placed> {
  const groupIds = new Map<number, string>()
  let tied: Placed[] = []
  for (const [document, group, seq] of candidatesFound) {
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
  candidatesFound: Iterable<Placed>,
): NonNullable<Reads['search']['result']> {
  let checked = 0
  let next: SearchPlace | undefined
  function* found(): Generator<SearchHit> {
    for (const { place, group } of candidatesFound) {
      checked += 1
      if (checked > MAX_CHECKED) return
      const message = feed.message(group, place[2])
      const snippet = message && find(searchableText(message), terms)
      if (snippet) yield { message, ...snippet }
      next = place
    }
  }
  const { rows: hits, hasMore } = fitRows(found(), limit)
  return hasMore || checked > MAX_CHECKED ? { hits, next } : { hits }
}
