/**
 * Hooks: callbacks with which a service that embeds Tertulia checks and observes requests.
 *
 * They run on the service's own thread, each with a time limit. A hook that throws or times out
 * affects only the request or message it was called for. Without hooks there is no overhead.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request } from '../../protocol/requests.ts'
import type { MessageChange } from './posted.ts'

/** Maximum characters of a reason: fits into every answer at three bytes a character. */
const MAX_WHY = 300

/** The user who makes a request. */
export interface HookUser {
  readonly userId: string
  /** From their newest token with a name; their id if no token had one. */
  readonly name: string
}

/** A message to be posted, or the new content of one. */
export interface Draft {
  readonly user: HookUser
  /** Whether it is an edit of a message that exists. */
  readonly edit: boolean
  /** The edited message. */
  readonly messageId?: string | undefined
  readonly groupId: string
  readonly content: string
  /** `text` in an edit without a type, even if the message has another type. */
  readonly type: Message['type']
  /** An edit without mentions retains those whose text is still in the content (MEN-1). */
  readonly mentions: readonly string[]
  readonly replyToId?: string | undefined
  readonly fileId?: string | undefined
}

/** The changes that `beforeMessage` makes to a message or an edit; omitted fields stay unchanged. */
export interface DraftChange {
  readonly content?: string | undefined
  readonly type?: Message['type'] | undefined
  readonly mentions?: readonly string[] | undefined
}

/** A message, and a member who was offline when it was posted. */
export interface MissedMessage {
  readonly userId: string
  readonly message: Message
}

type Result<T> = T | Promise<T>

/**
 * Functions of the service that the engine calls. All are optional.
 *
 * @example
 * ```ts
 * const engine = await createEngine({
 *   dataDir: './data',
 *   hooks: {
 *     beforeMessage({ content }) {
 *       if (content.includes('spam')) throw reject('no spam, please')
 *     },
 *     userOffline: ({ userId, message }) => push(userId, `${message.senderName}: ${message.content}`),
 *   },
 * })
 * ```
 */
export interface Hooks {
  /**
   * Whether the user may make this request; `false` refuses it as `forbidden`. Called before every
   * group or user request except pings, typing, receipts and signals; the engine's own checks follow.
   */
  authorize?(ask: { readonly user: HookUser; readonly request: Request }): Result<boolean>
  /**
   * Sees every message and edit before the engine does, and may change it or refuse it by throwing
   * `reject('why')`. The same message is passed twice if a client sends it again. The messages
   * of one session are processed in order; different sessions do not wait for each other.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: it may as well return nothing
  beforeMessage?(draft: Draft): Result<DraftChange | undefined | void>
  /**
   * Is called for every message, and every edit, deletion and recall of one, once it is durable,
   * with its new state. After a crash the calls for the most recent messages may be missing.
   */
  afterMessage?(message: Message, change: MessageChange): Result<void>
  /**
   * Is called when a message is durable, once for each other member who has no session at that time and
   * has neither muted the group nor blocked the sender. Used for push notifications. At most once each.
   */
  userOffline?(missed: MissedMessage): Result<void>
}

/** What `beforeMessage` throws to refuse a message; the sender is shown the text, up to 300 characters. */
export function reject(why: string): ChatError {
  return new ChatError('rejected', why.slice(0, MAX_WHY))
}
