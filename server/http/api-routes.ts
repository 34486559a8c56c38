/**
 * API routes: the table of protocol requests that are also available over HTTP.
 *
 * A row names the request. Its fields come from the path if the path names them, the others from the query
 * or the body. The routes, OpenAPI and docs/HTTP.md are derived from the table.
 */
import type { MethodRequest } from '../../protocol/methods.ts'

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With `{field}` for each field that the path names. */
  readonly path: string
  readonly request: MethodRequest
  /** The status of a success; 200 by default. */
  readonly status?: 201
  /** The tempId comes from the header `Idempotency-Key` or the body; it is generated if both are missing. */
  readonly idempotent?: true
  /** An example body. */
  readonly example?: object
  /** The description for the docs. */
  readonly doc: string
}

// biome-ignore format: one row per line
export const apiRoutes = [
  { method: 'GET', path: '/api/chat/groups', request: 'get_groups', doc: 'The caller’s groups, the most recently active first, with last message and unread counts.' },
  { method: 'POST', path: '/api/chat/groups', request: 'create_group', status: 201, example: { kind: 'group', name: 'Kitchen', members: ['bruno'] }, doc: 'Creates a group, or returns the direct chat of two users.' },
  { method: 'PATCH', path: '/api/chat/groups/{groupId}', request: 'update_group', example: { topic: 'Who brings the bread?' }, doc: 'Changes name, picture, topic or visibility.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/messages', request: 'get_history', doc: 'A page of messages, ascending; the newest messages without `before` and `after`.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/messages', request: 'send_message', status: 201, idempotent: true, example: { content: 'olá, @bruno', mentions: ['bruno'] }, doc: 'Sends a message. Requests with the same `Idempotency-Key` (ASCII), or the same `tempId` in the body, create one message.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/search', request: 'search', doc: 'Searches the messages of one group.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/read', request: 'message_read', example: { messageIds: ['kitchen:41'] }, doc: 'Marks messages as read by the caller.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/pins', request: 'get_pins', doc: 'The pinned messages, the latest pin first.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/online', request: 'get_online_users', doc: 'The members who are online; for a large group only their number.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/members', request: 'get_members', doc: 'The members, in the order in which they joined.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/members', request: 'add_member', example: { userId: 'eva' }, doc: 'Adds a member.' },
  { method: 'DELETE', path: '/api/chat/groups/{groupId}/members/{userId}', request: 'remove_member', doc: 'Removes a member, or revokes an invitation.' },
  { method: 'PATCH', path: '/api/chat/messages/{messageId}', request: 'edit_message', example: { content: 'olá!' }, doc: 'Changes the content of a message of the caller.' },
  { method: 'DELETE', path: '/api/chat/messages/{messageId}', request: 'delete_message', doc: 'Deletes a message and leaves a tombstone.' },
  { method: 'POST', path: '/api/chat/messages/{messageId}/recall', request: 'recall_message', doc: 'Recalls a message of the caller, within five minutes.' },
  { method: 'GET', path: '/api/chat/messages/{messageId}/receipts', request: 'get_receipts', doc: 'The users who received and who read the message.' },
  { method: 'POST', path: '/api/chat/messages/{messageId}/reactions', request: 'react', example: { emoji: '👍' }, doc: 'Adds a reaction.' },
  { method: 'DELETE', path: '/api/chat/messages/{messageId}/reactions/{emoji}', request: 'unreact', doc: 'Removes a reaction.' },
  { method: 'GET', path: '/api/chat/search', request: 'search', doc: 'Searches the messages of all groups of the caller, newest first.' },
  { method: 'GET', path: '/api/chat/invitations', request: 'get_invitations', doc: 'The pending invitations of the caller.' },
  { method: 'GET', path: '/api/chat/users/search', request: 'search_users', doc: 'Searches the users who share a group with the caller.' },
  { method: 'GET', path: '/api/chat/blocked', request: 'get_blocked', doc: 'The users that the caller has blocked.' },
  { method: 'POST', path: '/api/chat/blocked', request: 'block_user', example: { userId: 'eva' }, doc: 'Blocks a user, in both directions.' },
  { method: 'DELETE', path: '/api/chat/blocked/{userId}', request: 'unblock_user', doc: 'Unblocks a user.' },
  { method: 'GET', path: '/api/chat/users/contacts', request: 'get_contacts', doc: 'The users in the caller’s direct chats, the latest first.' },
] as const satisfies readonly ApiRoute[]

/** The fields in a path, in their order. */
export function pathFields({ path }: ApiRoute): readonly string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, field = '']) => field)
}

/** Whether the fields that are not in the path come in a JSON body. */
export function hasBody({ method }: ApiRoute): boolean {
  return method === 'POST' || method === 'PATCH'
}
