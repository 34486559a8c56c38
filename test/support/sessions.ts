/**
 * Sessions in tests: what they say, and what they have heard.
 */
import type { Session } from '../../engine/session.ts'
import type { EventFields, EventName } from '../../protocol/events.ts'

let lastTempId = 0

/** A text for a group, with a tempId of its own. */
export function text(groupId: string, content: string) {
  lastTempId += 1
  return { groupId, content, tempId: `temp-${lastTempId}` }
}

/** The events of one kind that a session hears from now on, in order. */
export function collect<N extends EventName>(session: Session, event: N): readonly EventFields<N>[] {
  const heard: EventFields<N>[] = []
  session.on(event, (fields) => heard.push(fields))
  return heard
}

/** What a refusal looks like, whichever build threw it. */
export function refusal(code: string, field?: string) {
  return field === undefined ? { name: 'ChatError', code } : { name: 'ChatError', code, field }
}
