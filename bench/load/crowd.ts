/**
 * Crowd: many authenticated clients, connected a limited number at a time.
 *
 * A request that the server refuses for now (`overloaded`) is counted and sent again after the time that the
 * server asks for: on a busy machine a run takes longer, and its figures show why. Any other error ends the
 * run. Every wait has a deadline; its error states what was expected and what arrived.
 */
import { createHmac } from 'node:crypto'
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { errors } from '../../protocol/errors.ts'
import { events } from '../../protocol/events.ts'
import type { RequestFields, RequestName } from '../../protocol/requests.ts'
import { LeanClient } from './lean-client.ts'

/** Connections opened at the same time: as after a deployment, not a SYN flood. */
const AT_ONCE = 256
const DEADLINE_MS = 60_000
/** Longer than the longest soak, which lasts a day: a server closes a connection whose token expires. */
const TOKEN_SECONDS = 25 * 3_600
const CODE_OFFSET = 1
const REF_OFFSET = 2
/** Requests of a client that can be sent again: its newest. A ref below 128 is one byte. */
export const RECENT_REQUESTS = 64
const RETRY_MS = 100

/** The server under load, and the secret for its tokens. */
export interface Target {
  readonly port: number
  readonly secret: string
}

/** Handles one event: its code, and the position of its payload. */
export type OnEvent = (client: LeanClient, code: number, bytes: Buffer, start: number, end: number) => void

export class Crowd {
  readonly clients: LeanClient[] = []
  /** Events seen, by code. */
  readonly counts = new Float64Array(128)
  /** Clients that the server closed. */
  lost = 0
  /** Requests that were refused and sent again. */
  refused = 0
  readonly #target: Target
  /** The newest requests of each client that has sent any, by ref. */
  readonly #recent = new Map<LeanClient, { next: number; readonly frames: Uint8Array[] }>()
  /** Set by the case for its measured part. */
  onEvent: OnEvent | null = null

  constructor(target: Target) {
    this.#target = target
  }

  /** Connects `u<from>` and every `step`th user after it, and waits until each has received `connected`. */
  async connect(count: number, from = 0, step = 1): Promise<void> {
    const tokens = Array.from({ length: count }, (_, i) =>
      signToken(`u${from + i * step}`, this.#target.secret),
    )
    const before = this.counts[events.connected.code] as number
    for (let i = 0; i < count; i++) {
      await until(
        () => i - ((this.counts[events.connected.code] as number) - before) < AT_ONCE,
        () =>
          `${i} connections under way, ${(this.counts[events.connected.code] as number) - before} connected`,
      )
      this.clients.push(
        new LeanClient(
          from + i * step,
          this.#target.port,
          tokens[i] as string,
          (client, bytes, start, end) => this.#take(client, bytes, start, end),
          () => {
            this.lost += 1
          },
        ),
      )
    }
    await this.expect(events.connected.code, before + count)
  }

  /** Creates one group of the given clients, as the first of them; each receives `group_created`. */
  group(groupId: string, members: readonly LeanClient[]): void {
    const [first, ...rest] = members
    const fields = { kind: 'group', groupId, members: rest.map(({ index }) => `u${index}`) } as const
    if (first) this.request(first, 'create_group', fields)
  }

  /** Sends a request, again if it is refused for now. Returns its ref, below `RECENT_REQUESTS`. */
  request<N extends RequestName>(client: LeanClient, name: N, fields: RequestFields<N>): number {
    let recent = this.#recent.get(client)
    if (!recent) {
      recent = { next: 0, frames: [] }
      this.#recent.set(client, recent)
    }
    const ref = recent.next
    recent.next = (ref + 1) % RECENT_REQUESTS
    const frame = encodeRequest(name, ref, fields)
    recent.frames[ref] = frame
    client.send(frame)
    return ref
  }

  /** Sends a ping from every client and waits for the answers. */
  async ping(): Promise<void> {
    const before = this.counts[events.pong.code] as number
    const ping = encodeRequest('ping', 1, {})
    for (const client of this.clients) client.send(ping)
    await this.expect(events.pong.code, before + this.clients.length)
  }

  /**
   * Checks that each client has received exactly its share of posts: none is missing and none arrived
   * twice, also if the sum is right. All clients are pinged first, so that everything in flight has
   * arrived and every client is connected.
   */
  async checkPosts(expected: (client: LeanClient) => number): Promise<void> {
    await this.ping()
    for (const client of this.clients) {
      const share = expected(client)
      if (client.posts !== share) {
        throw new Error(`u${client.index} expected ${share} posts, received ${client.posts}`)
      }
    }
  }

  /** Waits until `total` events of the code have arrived. */
  async expect(code: number, total: number, deadlineMs = DEADLINE_MS): Promise<void> {
    await until(
      () => (this.counts[code] as number) >= total,
      () => `expected ${total} events of code ${code}, came ${this.counts[code]}, lost ${this.lost} clients`,
      deadlineMs,
    )
  }

  end(): void {
    for (const client of this.clients) client.end()
  }

  #take(client: LeanClient, bytes: Buffer, start: number, end: number): void {
    const code = bytes[start + CODE_OFFSET] as number
    ;(this.counts[code] as number) += 1
    if (code === events.new_message.code) client.posts += 1
    if (code === events.error.code || code === events.message_error.code) {
      this.#refused(client, bytes.subarray(start, end))
      return
    }
    this.onEvent?.(client, code, bytes, start, end)
  }

  #refused(client: LeanClient, bytes: Buffer): void {
    const event = decodeEvent(bytes)
    if (event?.event !== 'error' && event?.event !== 'message_error') return
    const error = event.event === 'error' ? event.fields : event.fields.error
    const frame = this.#recent.get(client)?.frames[bytes[REF_OFFSET] as number]
    if (!frame || !(error.code in errors) || !errors[error.code as keyof typeof errors].retry) {
      throw new Error(`the server refused: ${error.code}, ${error.message}`)
    }
    this.refused += 1
    setTimeout(() => client.send(frame), error.retryAfterMs ?? RETRY_MS)
  }
}

/** Waits until `check` holds; it is checked in each turn of the event loop. */
export async function until(
  check: () => boolean,
  describe: () => string,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** A token of the user, with more claims if a server reads any. */
export function signToken(userId: string, secret: string, claims: object = {}): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_SECONDS
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, exp, ...claims })}`
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`
}
