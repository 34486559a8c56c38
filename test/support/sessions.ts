/**
 * Sessions for tests: what they send and receive.
 */
import type { Session } from '../../engine/hub/session.ts'
import type { EventFields, EventName } from '../../protocol/events.ts'

let lastTempId = 0

/** A text for a group, with a unique tempId. */
export function text(groupId: string, content: string) {
  lastTempId += 1
  return { groupId, content, tempId: `temp-${lastTempId}` }
}

/** The events of one kind that a session receives from now on, in order. */
export function collect<N extends EventName>(session: Session, event: N): readonly EventFields<N>[] {
  const received: EventFields<N>[] = []
  session.on(event, (fields) => received.push(fields))
  return received
}

/** The shape of a refusal, from either build. */
export function refusal(code: string, field?: string) {
  return field === undefined ? { name: 'ChatError', code } : { name: 'ChatError', code, field }
}
