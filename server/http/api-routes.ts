/**
 * API routes: requests of the protocol that HTTP offers too, in one table.
 *
 * A row names the request; its fields are taken from the path where it names them, the rest from
 * the query or, where there is one, the body. From it follow the routes, OpenAPI and docs/HTTP.md.
 */
import type { MethodRequest } from '../../protocol/methods.ts'

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With `{field}` for each field that the path names. */
  readonly path: string
  readonly request: MethodRequest
  /** Of a success; 200 where left off. */
  readonly status?: 201
  /** Its tempId comes from the header `Idempotency-Key`, or from the body; one is made where there is none. */
  readonly idempotent?: true
  /** A body, to begin with when trying it. */
  readonly example?: object
  /** What it does, for the docs. */
  readonly doc: string
}

// biome-ignore format: one row a line
export const apiRoutes = [
  { method: 'GET', path: '/api/chat/groups', request: 'get_groups', doc: 'The caller’s groups, the most recently active first, with last message and unread counts.' },
  { method: 'POST', path: '/api/chat/groups', request: 'create_group', status: 201, example: { kind: 'group', name: 'Kitchen', members: ['bruno'] }, doc: 'Makes a group, or finds the direct chat of two people.' },
  { method: 'PATCH', path: '/api/chat/groups/{groupId}', request: 'update_group', example: { topic: 'Who brings the bread?' }, doc: 'Changes name, picture, topic or visibility.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/messages', request: 'get_history', doc: 'A page of messages, ascending; the newest where neither `before` nor `after` is given.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/messages', request: 'send_message', status: 201, idempotent: true, example: { content: 'olá, @bruno', mentions: ['bruno'] }, doc: 'Posts a message; the same `Idempotency-Key` (ASCII), or the same `tempId` in the body, posts it once.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/search', request: 'search', doc: 'Finds messages of one group.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/read', request: 'message_read', example: { messageIds: ['kitchen:41'] }, doc: 'Says which messages the caller has read.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/pins', request: 'get_pins', doc: 'The pinned messages, the latest pin first.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/online', request: 'get_online_users', doc: 'The members who are online; of a large group only how many.' },
  { method: 'GET', path: '/api/chat/groups/{groupId}/members', request: 'get_members', doc: 'The members, in the order of joining.' },
  { method: 'POST', path: '/api/chat/groups/{groupId}/members', request: 'add_member', example: { userId: 'eva' }, doc: 'Adds a member.' },
  { method: 'DELETE', path: '/api/chat/groups/{groupId}/members/{userId}', request: 'remove_member', doc: 'Removes a member, or takes an invitation back.' },
  { method: 'PATCH', path: '/api/chat/messages/{messageId}', request: 'edit_message', example: { content: 'olá!' }, doc: 'Changes the content of one’s own message.' },
  { method: 'DELETE', path: '/api/chat/messages/{messageId}', request: 'delete_message', doc: 'Deletes a message; a tombstone is left.' },
  { method: 'POST', path: '/api/chat/messages/{messageId}/recall', request: 'recall_message', doc: 'Takes one’s own message back, within five minutes.' },
  { method: 'GET', path: '/api/chat/messages/{messageId}/receipts', request: 'get_receipts', doc: 'Who got and who read the message.' },
  { method: 'POST', path: '/api/chat/messages/{messageId}/reactions', request: 'react', example: { emoji: '👍' }, doc: 'Reacts with an emoji.' },
  { method: 'DELETE', path: '/api/chat/messages/{messageId}/reactions/{emoji}', request: 'unreact', doc: 'Takes a reaction back.' },
  { method: 'GET', path: '/api/chat/search', request: 'search', doc: 'Finds messages of all groups the caller is in, newest first.' },
  { method: 'GET', path: '/api/chat/invitations', request: 'get_invitations', doc: 'Invitations that wait for an answer.' },
  { method: 'GET', path: '/api/chat/users/search', request: 'search_users', doc: 'Finds people with whom the caller shares a group.' },
  { method: 'GET', path: '/api/chat/blocked', request: 'get_blocked', doc: 'Whom the caller has blocked.' },
  { method: 'POST', path: '/api/chat/blocked', request: 'block_user', example: { userId: 'eva' }, doc: 'Ends contact with a user, in both directions.' },
  { method: 'DELETE', path: '/api/chat/blocked/{userId}', request: 'unblock_user', doc: 'Allows contact again.' },
  { method: 'GET', path: '/api/chat/users/contacts', request: 'get_contacts', doc: 'Those the caller has talked to directly, the latest first.' },
] as const satisfies readonly ApiRoute[]

/** The fields that a path names, in its order. */
export function pathFields({ path }: ApiRoute): readonly string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, field = '']) => field)
}

/** Whether the fields that the path does not name come in a body of JSON. */
export function takesBody({ method }: ApiRoute): boolean {
  return method === 'POST' || method === 'PATCH'
}
