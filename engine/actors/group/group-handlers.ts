/**
 * Group handlers: the handler of a group's actor for each request and each mail.
 *
 * A request that is routed to groups and has no handler here does not compile.
 */
import type { RequestFields, RequestsTo } from '../../../protocol/requests.ts'
import type { GroupAlarm } from '../alarm.ts'
import type { Caller } from '../caller.ts'
import type { Effects } from '../effects.ts'
import { deleteMessage, editMessage, recallMessage } from './changes.ts'
import { addMember, joinGroup } from './entering.ts'
import { getFile } from './group-files.ts'
import type { GroupState } from './group-state.ts'
import { getHistory } from './history.ts'
import { declineInvitation, inviteMember } from './invitations.ts'
import { banMember, leaveGroup, removeMember } from './leaving.ts'
import { getMembers } from './member-pages.ts'
import { sendMessage } from './messages.ts'
import { muteGroup, muteMember, setRole, updateGroup } from './moderation.ts'
import { getOnlineUsers, signal } from './online.ts'
import { getPins, pinMessage, unpinMessage } from './pins.ts'
import { react, unreact } from './reactions.ts'
import { getReceipts } from './receipt-lists.ts'
import { tellReceipts } from './receipt-reports.ts'
import { messageDelivered, messageRead } from './receipts.ts'
import { typingDue, typingStart, typingStop } from './typing.ts'
import { markUnread } from './unread-mark.ts'

/** Changes the state and returns the effects. @throws ChatError, without a change. */
type GroupHandler<N extends RequestsTo<'group'>> = (
  group: GroupState,
  by: Caller,
  fields: RequestFields<N>,
  now: number,
) => Effects

/** Handlers by request name. */
export const groupHandlers: { readonly [N in RequestsTo<'group'>]: GroupHandler<N> } = {
  send_message: sendMessage,
  get_history: getHistory,
  join_group: joinGroup,
  leave_group: leaveGroup,
  add_member: addMember,
  remove_member: removeMember,
  edit_message: editMessage,
  delete_message: deleteMessage,
  recall_message: recallMessage,
  react,
  unreact,
  pin_message: pinMessage,
  unpin_message: unpinMessage,
  get_pins: getPins,
  update_group: updateGroup,
  ban_member: banMember,
  set_role: setRole,
  mute_group: muteGroup,
  mute_member: muteMember,
  get_members: getMembers,
  invite_member: inviteMember,
  decline_invitation: declineInvitation,
  typing_start: typingStart,
  typing_stop: typingStop,
  get_online_users: getOnlineUsers,
  signal,
  message_delivered: messageDelivered,
  message_read: messageRead,
  mark_unread: markUnread,
  get_receipts: getReceipts,
  get_file: getFile,
}

/** Handlers of alarms. When the shard stops, alarms may ring too early. */
export const groupAlarms: {
  readonly [A in GroupAlarm]: (group: GroupState) => Effects
} = {
  typing: typingDue,
  receipts: tellReceipts,
  // Nothing to do: loading the group has reported the gap.
  reload: () => [],
}
