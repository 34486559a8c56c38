/**
 * Repeatable requests: those that have the same effect if they are carried out twice, so that they are sent again
 * when their answer was lost.
 */
import type { MethodRequest } from '../protocol/methods.ts'
import type { RequestFields, RequestName } from '../protocol/requests.ts'

/** Changes that may have a second effect if they are repeated; all others are reads and idempotent changes. */
const notIdempotent: ReadonlySet<RequestName> = new Set([
  'ping',
  'leave_group',
  'remove_member',
  'edit_message',
  'update_group',
  'set_role',
  'mute_member',
  'typing_start',
  'typing_stop',
  'signal',
  'upload_file',
  'upload_begin',
] satisfies MethodRequest[])

/** Whether a request has the same effect if it is carried out twice. */
export function isRepeatable<N extends MethodRequest>(name: N, fields: RequestFields<N>): boolean {
  if (name === 'create_group') return (fields as RequestFields<'create_group'>).kind === 'direct'
  return !notIdempotent.has(name)
}
