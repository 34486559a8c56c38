/**
 * Asked: a request on its way, and what is known of the world since it was made.
 */
import type { Event } from '../../../protocol/events.ts'
import { type Request, requests } from '../../../protocol/requests.ts'
import { groupOf } from '../../../protocol/routed-group.ts'

/** How far somebody sees: all that is, what is in storage, what members have been shown. */
export type Seen = 'all' | 'stored' | 'shown'

export interface Asked {
  readonly userId: string
  /** The hub's number of the session. */
  readonly session: number
  readonly request: Request
  /** The group that it is for; null for one of the user's own. */
  readonly groupId: string | null
  readonly askedAt: number
  /** Of each group, the newest version when it was asked, the newest committed, the newest shown. */
  readonly from: Readonly<Record<Seen, ReadonlyMap<string, number>>>
  /** Which log entries it has caused, and of the newest of them the offset; others that may have. */
  readonly effects: { kinds: Set<string>; offset: number; seq: number; others: readonly Asked[] }
  answer: Event | null
}

/** The group that a request is for; null where it is not known, or none. */
export function groupAsked(request: Request): string | null {
  const { event, fields } = request
  if (event === 'create_group') return fields.kind === 'direct' ? null : (fields.groupId ?? null)
  if (requests[event].route !== 'group') return null
  return groupOf(request)
}
