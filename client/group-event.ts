/**
 * Group event: an event of the log of a group, and its place there.
 */
import type { DurableEvent, Event } from '../protocol/events.ts'

/** An event of a group's log. */
export type GroupEvent = Extract<Event, { readonly event: DurableEvent }>

/** The group, and the seq in its log. */
export function placeOf(event: GroupEvent): { readonly groupId: string; readonly seq: number } {
  return event.event === 'new_message' ? event.fields.message : event.fields
}
