/**
 * Notices: what happened in a group between its messages, from its durable events.
 */
import type { GroupEvent } from '../group-event.ts'
import type { CachedItem } from './cache/message-cache.ts'
import type { ChangeEvent } from './message-changes.ts'
import type { People } from './people.ts'
import type { NoticeItem } from './types.ts'

interface NoticeContext {
  readonly groupId: string
  readonly people: People
  /** The time of an event that has none. */
  readonly at: number
}

/** The users that an event names, and its time. */
interface Named {
  readonly userId?: string
  readonly userName?: string
  readonly by?: string | undefined
  readonly at?: number
}

/** The item of an event; undefined for one that is not shown. */
export function noticeItem(
  event: Exclude<GroupEvent, ChangeEvent>,
  seq: number,
  { groupId, people, at }: NoticeContext,
): CachedItem | undefined {
  const make = (what: NoticeItem['what'], named: Named, text?: string): CachedItem => {
    const { userId, by } = named
    const notice: NoticeItem = {
      kind: 'notice',
      key: `${groupId}:${seq}`,
      seq,
      at: named.at ?? at,
      what,
      by: by === undefined ? undefined : people.person(by),
      about: userId === undefined ? undefined : people.person(userId, named.userName),
      text,
    }
    return { groupId, seq, notice }
  }
  switch (event.event) {
    case 'user_joined_group':
      return make('joined', event.fields)
    case 'user_left_group': {
      const { banned, by } = event.fields
      return make(banned ? 'banned' : by === undefined ? 'left' : 'removed', event.fields)
    }
    case 'role_changed':
      return make('role', event.fields, event.fields.role)
    case 'group_updated':
      if (event.fields.name !== undefined) return make('renamed', event.fields, event.fields.name)
  }
  return undefined
}
