/**
 * Apply hooks: runs `authorize` and `beforeMessage` for one request.
 *
 * The result is the frame to forward to the shard; it is the received frame unless a hook changed
 * it. A hook's changes are validated like a client's request. If they are invalid, the service is at
 * fault, and the client receives `internal`.
 */
import { decodeRequest, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { groupOfId } from '../../protocol/ids.ts'
import { type Request, type RequestSpec, requests } from '../../protocol/requests.ts'
import type { Draft, DraftChange, Hooks, HookUser } from './hooks.ts'
import { type After, withinTime } from './time-limit.ts'

export interface HookRunOptions {
  readonly hooks: Hooks
  /** How long one hook may take, milliseconds. */
  readonly timeoutMs: number
  readonly after: After
}

type Post = Extract<Request, { event: 'send_message' | 'edit_message' }>

const sends: number = requests.send_message.code
const edits: number = requests.edit_message.code

/** Whether a hook has to see requests of this row. */
export function concerns({ authorize, beforeMessage }: Hooks, { code, budget }: RequestSpec): boolean {
  if (authorize && budget !== 'ephemeral') return true
  return beforeMessage !== undefined && (code === sends || code === edits)
}

/** Returns the frame to forward. Rejects with the refusal or the failure of a hook. */
export async function applyHooks(
  { hooks, timeoutMs, after }: HookRunOptions,
  user: HookUser,
  request: Request,
  frame: Uint8Array,
): Promise<Uint8Array> {
  const { authorize, beforeMessage } = hooks
  const row: RequestSpec = requests[request.event]
  if (authorize && row.budget !== 'ephemeral') {
    const run = () => authorize.call(hooks, { user, request })
    if (!(await withinTime('the hook authorize', run, timeoutMs, after))) throw new ChatError('forbidden')
  }
  if (!beforeMessage || (request.event !== 'send_message' && request.event !== 'edit_message')) return frame
  const run = () => beforeMessage.call(hooks, draftOf(user, request))
  const change = await withinTime('the hook beforeMessage', run, timeoutMs, after)
  if (change === undefined || change === null) return frame
  // A censored text or `false` by mistake: the message must not pass unchanged.
  if (typeof change !== 'object') {
    throw new Error(`beforeMessage must return an object with changes, or nothing (got a ${typeof change})`)
  }
  return changed(request, change)
}

function draftOf(user: HookUser, request: Post): Draft {
  if (request.event === 'edit_message') {
    const { messageId, content, type = 'text', mentions = [] } = request.fields
    const groupId = groupOfId(messageId)
    return { user, edit: true, messageId, groupId, content, type, mentions }
  }
  const { groupId, content, type = 'text', mentions = [], replyToId, fileId } = request.fields
  return { user, edit: false, groupId, content, type, mentions, replyToId, fileId }
}

function changed(request: Post, change: DraftChange): Uint8Array {
  try {
    const frame = encodeChanged(request, change)
    decodeRequest(frame)
    return frame
  } catch (cause) {
    // Not a ChatError: the client's request was valid.
    throw new Error(`beforeMessage returned an invalid message: ${(cause as Error).message}`, { cause })
  }
}

function encodeChanged(request: Post, { content, type, mentions }: DraftChange): Uint8Array {
  const { ref, fields } = request
  const changes = {
    content: content ?? fields.content,
    type: type ?? fields.type,
    mentions: mentions ?? fields.mentions,
  }
  return request.event === 'edit_message'
    ? encodeRequest('edit_message', ref, { ...request.fields, ...changes })
    : encodeRequest('send_message', ref, { ...request.fields, ...changes })
}
