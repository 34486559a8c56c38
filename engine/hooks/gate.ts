/**
 * Gate: requests that a hook has to see first, on their way from the hub to the shards.
 *
 * The requests of one session keep their order: while a hook runs for one, those behind it wait,
 * whatever they are. Bounded: `MAX_WAITING` of a session and `MAX_IN_ALL`, over which `overloaded`.
 * A session that ends takes what waits along; nothing of it was acknowledged.
 */
import { decodeRequest, encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type FrameHead, peekHead } from '../../protocol/frame-head.ts'
import { groupOfId } from '../../protocol/ids.ts'
import type { Request, RequestSpec } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { EngineLogger } from '../engine-logger.ts'
import type { Draft, Hooks, HookUser } from './hooks.ts'
import { type After, withinTime } from './time-limit.ts'

const MAX_WAITING = 256
const MAX_IN_ALL = 16_384
const RETRY_AFTER_MS = 500

export interface GateOptions {
  readonly hooks: Hooks
  /** How long one hook may take, milliseconds. */
  readonly timeoutMs: number
  readonly logger: EngineLogger
  readonly after: After
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Hands a frame to its shard. @throws ChatError as `Gateway.receive` does */
  readonly forward: (session: number, frame: Uint8Array, head: FrameHead) => void
  /** Sends an answer to a session, if it is still there. */
  readonly answer: (session: number, frame: Uint8Array) => void
}

interface Waiting {
  readonly user: HookUser
  readonly frame: Uint8Array
  readonly head: FrameHead
}

interface Line {
  readonly waiting: Waiting[]
  open: boolean
}

const sends: number = requests.send_message.code
const edits: number = requests.edit_message.code

export class Gate {
  readonly #options: GateOptions
  readonly #lines = new Map<number, Line>()
  #inAll = 0
  #onEmpty: (() => void) | null = null

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Requests that wait for hooks, for the stats. */
  get size(): number {
    return this.#inAll
  }

  /**
   * Takes the frame where a hook has to see it or one before it; otherwise false. Bytes are copied.
   * @throws ChatError `overloaded`
   */
  takes(session: number, user: HookUser, row: RequestSpec, frame: Uint8Array, head: FrameHead): boolean {
    const line = this.#lines.get(session)
    if (!line && !this.#concerns(row)) return false
    if (this.#inAll >= MAX_IN_ALL || (line && line.waiting.length >= MAX_WAITING)) {
      throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
    }
    const waiting: Waiting = { user, frame: Uint8Array.from(frame), head }
    this.#inAll += 1
    if (line) line.waiting.push(waiting)
    else {
      const begun: Line = { waiting: [waiting], open: true }
      this.#lines.set(session, begun)
      void this.#run(session, begun)
    }
    return true
  }

  /** The session is gone. */
  closed(session: number): void {
    const line = this.#lines.get(session)
    if (!line) return
    line.open = false
    this.#inAll -= line.waiting.length
    line.waiting.length = 0
    this.#lines.delete(session)
  }

  /** Refuses what waits; resolves once the hooks that run are done, or their time is over. */
  close(): Promise<void> {
    const goodbye = new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
    for (const [session, { waiting }] of this.#lines) {
      for (const { frame, head } of waiting)
        this.#refuse(session, head.ref, goodbye, tempIdOf(understood(frame)))
      this.#inAll -= waiting.length
      waiting.length = 0
    }
    if (this.#inAll === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }

  #concerns({ code, budget }: RequestSpec): boolean {
    const { authorize, beforeMessage } = this.#options.hooks
    if (authorize && budget !== 'ephemeral') return true
    return beforeMessage !== undefined && (code === sends || code === edits)
  }

  async #run(session: number, line: Line): Promise<void> {
    for (let next = line.waiting.shift(); next; next = line.waiting.shift()) {
      const { head } = next
      let tempId: string | undefined
      try {
        const request = understood(next.frame)
        tempId = tempIdOf(request)
        const frame = request ? await this.#judged(next.user, request, next.frame) : next.frame
        const newHead = frame === next.frame ? head : peekHead(frame)
        if (line.open && newHead) this.#options.forward(session, frame, newHead)
      } catch (error) {
        if (line.open) this.#refuse(session, head.ref, error, tempId)
      }
      this.#inAll -= 1
    }
    if (line.open) this.#lines.delete(session)
    if (this.#inAll === 0) this.#onEmpty?.()
  }

  /** The frame as the hooks let it pass. @throws what they refuse it with */
  async #judged(user: HookUser, request: Request, frame: Uint8Array): Promise<Uint8Array> {
    const { hooks, timeoutMs, after } = this.#options
    const { authorize, beforeMessage } = hooks
    const row: RequestSpec = requests[request.event]
    if (authorize && row.budget !== 'ephemeral') {
      const may = await withinTime(
        'authorize',
        () => authorize.call(hooks, { user, request }),
        timeoutMs,
        after,
      )
      if (!may) throw new ChatError('forbidden')
    }
    if (!beforeMessage || (request.event !== 'send_message' && request.event !== 'edit_message')) return frame
    const draft = draftOf(user, request)
    const run = () => beforeMessage.call(hooks, draft)
    const change = await withinTime('beforeMessage', run, timeoutMs, after)
    if (!change) return frame
    const { content = draft.content, type, mentions } = change
    return request.event === 'send_message'
      ? encodeRequest('send_message', request.ref, {
          ...request.fields,
          content,
          type: type ?? request.fields.type,
          mentions: mentions ?? request.fields.mentions,
        })
      : encodeRequest('edit_message', request.ref, { ...request.fields, content })
  }

  #refuse(session: number, ref: number, error: unknown, tempId: string | undefined): void {
    if (!(error instanceof ChatError)) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#options.logger.error({ cause }, 'a hook failed')
    }
    const refusal = ChatError.from(error)
    this.#options.answer(
      session,
      tempId === undefined
        ? encodeEvent('error', ref, refusal.toFields())
        : encodeEvent('message_error', ref, {
            tempId,
            error: refusal.toFields(),
            timestamp: this.#options.now(),
          }),
    )
  }
}

/** The request that a frame is; null for one that its shard will refuse. */
function understood(frame: Uint8Array): Request | null {
  try {
    return decodeRequest(frame)
  } catch {
    return null
  }
}

/** What the refusal of a post names. */
function tempIdOf(request: Request | null): string | undefined {
  return request?.event === 'send_message' ? request.fields.tempId : undefined
}

function draftOf(
  user: HookUser,
  request: Extract<Request, { event: 'send_message' | 'edit_message' }>,
): Draft {
  if (request.event === 'edit_message') {
    const { messageId, content } = request.fields
    return { user, edit: true, groupId: groupOfId(messageId), content, type: 'text', mentions: [] }
  }
  const { groupId, content, type = 'text', mentions = [], replyToId, fileId } = request.fields
  return { user, edit: false, groupId, content, type, mentions, replyToId, fileId }
}
