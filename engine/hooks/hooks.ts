/**
 * Hooks: where a service that embeds Tertulia has its say (SPEC 8).
 *
 * They run on the service's own thread, each within a limit of time. One that throws or is late
 * hurts only the request or message it was called for. Without hooks nothing of this costs anything.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request } from '../../protocol/requests.ts'

/** What any answer has room for, in three bytes a character. */
const MAX_WHY = 300

/** Who asks, by their token. */
export interface HookUser {
  readonly userId: string
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
  /** `text` in an edit, whatever the message's type is. */
  readonly type: Message['type']
  readonly mentions: readonly string[]
  readonly replyToId?: string | undefined
  readonly fileId?: string | undefined
}

/** What `beforeMessage` wants otherwise; what is left off stays. An edit takes the content only. */
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

type Result<T> = T | Promise<T>

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
  /** Hears every message once it is durable; after a crash perhaps not of the last ones. */
  afterMessage?(message: Message): Result<void>
  /**
   * Hears, for each message that is durable, of each other member who has no session just then and
   * has not muted the group: for push notifications. At most once for each.
   */
  userOffline?(missed: MissedMessage): Result<void>
}

/** What `beforeMessage` throws to refuse a message; the sender is shown the text, up to 300 characters. */
export function reject(why: string): ChatError {
  return new ChatError('rejected', why.slice(0, MAX_WHY))
}
