/**
 * Group handlers: what a group's actor answers to each request and each mail.
 *
 * A request that is routed to groups and has no handler here does not compile.
 */
import type { RequestFields, RequestsTo } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import type { Effects } from '../effects.ts'
import type { GroupState } from './group-state.ts'
import { getHistory } from './history.ts'
import { addMember, joinGroup, leaveGroup, removeMember } from './membership.ts'
import { sendMessage } from './messages.ts'

/** Changes the state and returns what else is to happen. @throws ChatError, having changed nothing. */
type GroupHandler<N extends RequestsTo<'group'>> = (
  group: GroupState,
  by: Caller,
  fields: RequestFields<N>,
  now: number,
) => Effects

/** By request name. */
export const groupHandlers: { readonly [N in RequestsTo<'group'>]: GroupHandler<N> } = {
  send_message: sendMessage,
  get_history: getHistory,
  join_group: joinGroup,
  leave_group: leaveGroup,
  add_member: addMember,
  remove_member: removeMember,
}
