/**
 * Gate: holds requests between the hub and the shards until their hooks have run.
 *
 * The requests of one session stay in order: while a hook runs for one, all later requests wait.
 * Bounded: `MAX_WAITING` requests per session, `MAX_IN_ALL` and `MAX_BYTES` in total; above that a
 * request is refused as `overloaded`. When a session ends, its waiting requests are dropped and the
 * result of its running hook is ignored; none of them was acknowledged.
 */
import { decodeRequest, encodeEvent } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type FrameView, viewFrame } from '../../protocol/frame-view.ts'
import type { Request } from '../../protocol/requests.ts'
import type { EngineLogger } from '../base/engine-logger.ts'
import { overloaded, shuttingDown } from '../base/refusals.ts'
import { applyHooks, concerns, type HookRunOptions } from './apply-hooks.ts'
import type { HookUser } from './hooks.ts'
import { logFailure, withinTime } from './time-limit.ts'

const MAX_WAITING = 256
const MAX_IN_ALL = 16_384
const MAX_BYTES = 67_108_864
/** The time limit of a name look-up, which is the engine's own work and not a hook's. */
const LOOK_UP_MS = 5_000

export interface GateOptions extends HookRunOptions {
  readonly logger: EngineLogger
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Looks up the name of a user whose token does not contain it. */
  readonly nameOf: (userId: string) => Promise<string>
  /** Hands a frame to its shard. @throws ChatError as `Gateway.receive` does */
  readonly forward: (session: number, frame: Uint8Array, view: FrameView) => void
  /** Sends an answer to a session, if it is still connected. */
  readonly answer: (session: number, frame: Uint8Array) => void
}

interface Waiting {
  readonly user: HookUser
  readonly frame: Uint8Array
  readonly view: FrameView
}

interface Line {
  readonly waiting: Waiting[]
  open: boolean
}

export class Gate {
  readonly #options: GateOptions
  readonly #lines = new Map<number, Line>()
  #inAll = 0
  #bytes = 0
  #onEmpty: (() => void) | null = null

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Requests that wait for hooks, including those whose hook is running. */
  get size(): number {
    return this.#inAll
  }

  /**
   * Queues the frame if a hook has to see it or an earlier one; otherwise returns false. Bytes are copied.
   * @throws ChatError `overloaded`
   */
  takes(session: number, { userId, name }: HookUser, frame: Uint8Array, view: FrameView): boolean {
    const line = this.#lines.get(session)
    if (!line && !(view.row && concerns(this.#options.hooks, view.row))) return false
    if (
      this.#inAll >= MAX_IN_ALL ||
      this.#bytes + frame.length > MAX_BYTES ||
      (line && line.waiting.length >= MAX_WAITING)
    ) {
      throw overloaded()
    }
    const waiting: Waiting = { user: { userId, name }, frame: Uint8Array.from(frame), view }
    this.#inAll += 1
    this.#bytes += frame.length
    if (line) line.waiting.push(waiting)
    else {
      const begun: Line = { waiting: [waiting], open: true }
      this.#lines.set(session, begun)
      void this.#run(session, begun)
    }
    return true
  }

  /** The session has ended: drops its waiting requests. */
  closed(session: number): void {
    const line = this.#lines.get(session)
    if (!line) return
    line.open = false
    for (const { frame } of line.waiting.splice(0)) this.#release(frame)
    this.#lines.delete(session)
  }

  /** Refuses waiting requests; resolves when the running hooks are done, at the latest after `withinMs`. */
  async close(withinMs: number): Promise<void> {
    const goodbye = shuttingDown()
    for (const [session, { waiting }] of this.#lines) {
      for (const { frame, view } of waiting.splice(0)) {
        this.#refuse(session, view.ref, goodbye, tempIdOf(understood(frame)))
        this.#release(frame)
      }
    }
    if (this.#inAll === 0) return
    await new Promise<void>((resolve) => {
      const cancel = this.#options.after(withinMs, resolve)
      this.#onEmpty = () => {
        cancel()
        resolve()
      }
    })
    for (const session of [...this.#lines.keys()]) this.closed(session)
  }

  async #run(session: number, line: Line): Promise<void> {
    for (let next = line.waiting.shift(); next; next = line.waiting.shift()) {
      const { frame, view } = next
      let tempId: string | undefined
      try {
        const request = understood(frame)
        tempId = tempIdOf(request)
        const passed = request
          ? await applyHooks(this.#options, await this.#named(next.user), request, frame)
          : frame
        const newView = passed === frame ? view : viewFrame(passed)
        if (line.open && newView) this.#options.forward(session, passed, newView)
      } catch (error) {
        if (!(error instanceof ChatError)) logFailure(this.#options.logger, error)
        if (line.open) this.#refuse(session, view.ref, ChatError.from(error), tempId)
      }
      this.#release(frame)
    }
    if (line.open) this.#lines.delete(session)
  }

  async #named({ userId, name }: HookUser): Promise<HookUser> {
    if (name !== '') return { userId, name }
    const { after, nameOf } = this.#options
    return {
      userId,
      name: await withinTime('the look-up of a name', () => nameOf(userId), LOOK_UP_MS, after),
    }
  }

  #release(frame: Uint8Array): void {
    this.#inAll -= 1
    this.#bytes -= frame.length
    if (this.#inAll === 0) this.#onEmpty?.()
  }

  #refuse(session: number, ref: number, refusal: ChatError, tempId: string | undefined): void {
    const error = refusal.toFields()
    const timestamp = this.#options.now()
    this.#options.answer(
      session,
      tempId === undefined
        ? encodeEvent('error', ref, error)
        : encodeEvent('message_error', ref, { tempId, error, timestamp }),
    )
  }
}

/** Decodes the request in a frame; null for one that its shard will refuse. */
function understood(frame: Uint8Array): Request | null {
  try {
    return decodeRequest(frame)
  } catch {
    return null
  }
}

/** The tempId that the refusal of a post contains. */
function tempIdOf(request: Request | null): string | undefined {
  return request?.event === 'send_message' ? request.fields.tempId : undefined
}
