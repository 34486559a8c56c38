/**
 * Asked: a pending request, and what is known about the world since it was sent.
 */
import type { Event } from '../../../protocol/events.ts'
import { type Request, requests } from '../../../protocol/requests.ts'
import { groupOf } from '../../../protocol/routed-group.ts'

/** What is visible: everything, what is stored, or what members have been shown. */
export type Seen = 'all' | 'stored' | 'shown'

export interface Asked {
  readonly userId: string
  /** The hub's id of the session. */
  readonly session: number
  readonly request: Request
  /** The group of the request; null if it concerns the user only. */
  readonly groupId: string | null
  readonly askedAt: number
  /** For each group: the newest, newest committed and newest shown version when it was sent. */
  readonly from: Readonly<Record<Seen, ReadonlyMap<string, number>>>
  /** The kinds of log entries that it caused, the offset of the newest, and other possible causes. */
  readonly effects: { kinds: Set<string>; offset: number; seq: number; others: readonly Asked[] }
  answer: Event | null
}

/** The group of a request; null if it is unknown or there is none. */
export function groupAsked(request: Request): string | null {
  const { event, fields } = request
  if (event === 'create_group') return fields.kind === 'direct' ? null : (fields.groupId ?? null)
  if (requests[event].route !== 'group') return null
  return groupOf(request)
}

/** Moves the effects to the other request, in addition to those that it has: that one caused them. */
export function handEffects(from: Asked, to: Asked): void {
  const { kinds, offset, seq, others } = from.effects
  for (const kind of kinds) to.effects.kinds.add(kind)
  to.effects.offset = Math.max(offset, to.effects.offset)
  to.effects.seq = Math.max(seq, to.effects.seq)
  to.effects.others = [from, ...others.filter((one) => one !== to)]
  Object.assign(from.effects, { kinds: new Set(), others: [] })
}
