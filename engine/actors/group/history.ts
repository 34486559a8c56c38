/**
 * History: pages of a group's messages, from memory if they are new, otherwise from the log.
 */
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Gap, Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows } from '../../base/fit-rows.ts'
import type { MessagePage } from '../../stored/stored-group.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effect, type Effects, read } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { callerMay } from './permissions.ts'
import type { RecentEvents } from './recent-events.ts'

interface Range {
  /** Exclusive bounds. */
  readonly after: number
  readonly before: number
  readonly limit: number
  /** The last `limit` of the range instead of the first. */
  readonly newest: boolean
}

export function getHistory(
  group: GroupState,
  by: Caller,
  fields: RequestFields<'get_history'>,
  now: number,
): Effects {
  callerMay(group, by, 'get_history', now)
  const { groupId, recent } = group
  const range: Range = {
    after: fields.after ?? 0,
    before: Math.min(fields.before ?? Number.MAX_SAFE_INTEGER, group.publishedSeq + 1),
    limit: fields.limit ?? limits.historyPageDefault,
    newest: fields.after === undefined,
  }
  const { after, before, limit, newest } = range
  const inMemory = pageInMemory(recent, range)
  // One more than requested shows whether there are more.
  const wanted = newest ? limit + 1 - inMemory.messages.length : limit + 1
  if (after + 1 >= recent.floor || wanted <= 0) return [answerPage(group, by, range, inMemory)]
  return [
    read(
      { read: 'messages', groupId, after, before: Math.min(before, recent.floor), limit: wanted, newest },
      by,
      (stored) => [
        answerPage(group, by, range, {
          messages: [...stored.messages, ...inMemory.messages],
          gaps: [...stored.gaps, ...inMemory.gaps],
        }),
      ],
    ),
  ]
}

function answerPage(group: GroupState, by: Caller, range: Range, { messages, gaps }: MessagePage): Effect {
  const { groupId } = group
  const { newest, limit } = range
  const { rows, hasMore } = fitRows(shown(group, messages, newest), limit)
  const page = newest ? rows.toReversed() : rows
  const from = hasMore && newest ? (page[0]?.seq ?? range.after) : range.after
  const to = hasMore && !newest ? (page.at(-1)?.seq ?? range.before) : range.before
  const between = gaps.filter((gap) => gap.seq > from && gap.seq < to)
  return answer(by, 'history', {
    groupId,
    messages: page,
    hasMore,
    gaps: between.length > 0 ? between.slice(0, limits.historyPage) : undefined,
  })
}

/** The messages in the versions that members were shown, from the beginning of the page. */
function* shown(
  { changed, publishedSeq }: GroupState,
  messages: readonly Message[],
  newest: boolean,
): Generator<Message> {
  const unchanged = changed.size === 0
  for (let i = 0; i < messages.length; i++) {
    const message = messages.at(newest ? -1 - i : i) as Message
    yield unchanged ? message : changed.shown(message, publishedSeq)
  }
}

/** The part of a page that is in memory: at most one message more than requested. Visits no others. */
function pageInMemory(recent: RecentEvents, { after, before, limit, newest }: Range): MessagePage {
  const messages: Message[] = []
  const gaps: Gap[] = []
  for (const event of recent.walk(Math.max(after, recent.floor - 1), before - 1, newest)) {
    if ('message' in event) {
      messages.push(event.message)
      if (messages.length > limit) break
    } else if (event.code === events.gap.code) {
      const gap = decodeEvent(event.frame)
      if (gap?.event === 'gap') gaps.push(gap.fields)
    }
  }
  return newest ? { messages: messages.reverse(), gaps: gaps.reverse() } : { messages, gaps }
}
