/**
 * Sessions for tests: what they send and receive.
 */
export { collect } from '../../testing/received.ts'

let lastTempId = 0

/** A text for a group, with a unique tempId. */
export function text(groupId: string, content: string) {
  lastTempId += 1
  return { groupId, content, tempId: `temp-${lastTempId}` }
}

/** The shape of a refusal, from either build. */
export function refusal(code: string, field?: string) {
  return field === undefined ? { name: 'ChatError', code } : { name: 'ChatError', code, field }
}
