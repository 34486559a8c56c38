/**
 * Hooks: where a service that embeds Tertulia has its say.
 *
 * They run on the service's own thread, each within a limit of time. One that throws or is late
 * hurts only the request or message it was called for. Without hooks nothing of this costs anything.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request } from '../../protocol/requests.ts'

/** What any answer has room for, in three bytes a character. */
const MAX_WHY = 300

/** Who asks. */
export interface HookUser {
  readonly userId: string
  /** By their newest token that named them; their id where no token has. */
  readonly name: string
}

/** A message that somebody wants to post, or the new content of one. */
export interface Draft {
  readonly user: HookUser
  /** Whether it is an edit of a message that exists. */
  readonly edit: boolean
  /** The message that is edited. */
  readonly messageId?: string | undefined
  readonly groupId: string
  readonly content: string
  /** `text` in an edit that names none, whatever the message's type is. */
  readonly type: Message['type']
  /** Of an edit that names none those stay that are still written (MEN-1). */
  readonly mentions: readonly string[]
  readonly replyToId?: string | undefined
  readonly fileId?: string | undefined
}

/** What `beforeMessage` changes of a message or an edit; what is left off stays. */
export interface DraftChange {
  readonly content?: string | undefined
  readonly type?: Message['type'] | undefined
  readonly mentions?: readonly string[] | undefined
}

/** A member who was away when a message came. */
export interface MissedMessage {
  readonly userId: string
  readonly message: Message
}

/** What `afterMessage` is called for. Reactions and pins are no changes of a message's content. */
export type MessageChange = 'posted' | 'edited' | 'deleted' | 'recalled'

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
   * Whether the user may make this request; `false` refuses it as `forbidden`. Asked before any
   * request of a group or user but pings, typing, receipts and signals; the engine's own rules come after.
   */
  authorize?(ask: { readonly user: HookUser; readonly request: Request }): Result<boolean>
  /**
   * Sees every message and edit before the engine does, and may change it or refuse it by throwing
   * `reject('why')`. The same message may come twice, where a client sends it again. The messages
   * of one session wait for one another; those of others do not.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: it may as well return nothing
  beforeMessage?(draft: Draft): Result<DraftChange | undefined | void>
  /**
   * Is called for every message, and every edit, deletion and recall of one, once it is durable,
   * with the message as it is from then on; after a crash perhaps not for the last ones.
   */
  afterMessage?(message: Message, change: MessageChange): Result<void>
  /**
   * Is called, for each message that is durable, for each other member who has no session just then and
   * has neither muted the group nor blocked the sender: for push notifications. At most once for each.
   */
  userOffline?(missed: MissedMessage): Result<void>
}

/** What `beforeMessage` throws to refuse a message; the sender is shown the text, up to 300 characters. */
export function reject(why: string): ChatError {
  return new ChatError('rejected', why.slice(0, MAX_WHY))
}
