/**
 * History: pages of a group's messages, from memory where they are new, else from the log.
 */
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Gap, Message } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { LoggedEvent, MessagePage } from '../../storage/log.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effect, type Effects, read } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { callerMay } from './permissions.ts'

/** A page ends before its contents are larger: one answer must fit a connection's buffer. */
const PAGE_BYTES = 512 * 1024

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
  const inMemory = toPage(
    recent.range(Math.max(after, recent.floor - 1), before - 1, Number.POSITIVE_INFINITY),
  )
  // One more than asked for tells whether there are more.
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
  const { groupId, changed, publishedSeq } = group
  const kept = fitting(
    messages.map((message) => changed.shown(message, publishedSeq)),
    range,
  )
  const hasMore = kept.length < messages.length
  const from = hasMore && range.newest ? (kept[0]?.seq ?? range.after) : range.after
  const to = hasMore && !range.newest ? (kept.at(-1)?.seq ?? range.before) : range.before
  const between = gaps.filter((gap) => gap.seq > from && gap.seq < to)
  return answer(by, 'history', {
    groupId,
    messages: kept,
    hasMore,
    gaps: between.length > 0 ? between.slice(0, limits.historyPage) : undefined,
  })
}

/** As many as asked for and as fit, from the end that counts; at least one where there is one. */
function fitting(messages: readonly Message[], { limit, newest }: Range): readonly Message[] {
  const count = Math.min(messages.length, limit)
  const ordered = newest ? messages.slice(-count).reverse() : messages.slice(0, count)
  let bytes = 0
  const end = ordered.findIndex((message, i) => {
    bytes += sizeOf(message)
    return i > 0 && bytes > PAGE_BYTES
  })
  const kept = end < 0 ? ordered : ordered.slice(0, end)
  return count === 0 ? [] : newest ? [...kept].reverse() : kept
}

/** About how many bytes a message is on the wire. */
function sizeOf({ content, reactions }: Message): number {
  let chars = content.length
  for (const { userIds } of reactions ?? []) for (const userId of userIds) chars += userId.length
  return chars * 2
}

function toPage(logged: readonly LoggedEvent[]): MessagePage {
  const messages: Message[] = []
  const gaps: Gap[] = []
  for (const event of logged) {
    if ('message' in event) messages.push(event.message)
    else if (event.code === events.gap.code) {
      const gap = decodeEvent(event.frame)
      if (gap?.event === 'gap') gaps.push(gap.fields)
    }
  }
  return { messages, gaps }
}
