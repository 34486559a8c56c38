/**
 * User handlers: the answer of a user's own actor to each request.
 *
 * A request that is routed to users and has no handler here does not compile.
 */
import type { RequestFields, RequestsTo } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects } from '../effects.ts'
import { blockUser, getBlocked, unblockUser } from './blocks.ts'
import { createGroup, getGroups, getInvitations } from './groups.ts'
import { resume } from './resume.ts'
import { getContacts, search, searchUsers } from './search.ts'
import { updateStatus } from './status.ts'
import { uploadBegin, uploadChunk, uploadEnd, uploadFile } from './uploads.ts'
import type { UserState } from './user-state.ts'

/** @throws ChatError before anything changes. `newId` creates the id of a new object. */
type UserHandler<N extends RequestsTo<'user'>> = (
  user: UserState,
  by: Caller,
  fields: RequestFields<N>,
  now: number,
  newId: () => string,
) => Effects

/** By request name. */
export const userHandlers: { readonly [N in RequestsTo<'user'>]: UserHandler<N> } = {
  ping: (_user, by, { t }, now) => [answer(by, 'pong', { t, serverTime: now })],
  create_group: createGroup,
  get_groups: getGroups,
  resume,
  get_invitations: getInvitations,
  update_status: updateStatus,
  search,
  search_users: searchUsers,
  get_contacts: getContacts,
  block_user: blockUser,
  unblock_user: unblockUser,
  get_blocked: getBlocked,
  upload_file: uploadFile,
  upload_begin: uploadBegin,
  upload_chunk: uploadChunk,
  upload_end: uploadEnd,
}
