/**
 * Crowd: many authenticated clients, connected a limited number at a time.
 *
 * Every wait has a deadline; its error states what was expected and what arrived.
 */
import { createHmac } from 'node:crypto'
import { encodeRequest } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import { LeanClient } from './lean-client.ts'

/** Connections opened at the same time: as after a deployment, not a SYN flood. */
const AT_ONCE = 256
const DEADLINE_MS = 60_000
const CODE_OFFSET = 1

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
  readonly #target: Target
  /** Set by the case for its measured part. */
  onEvent: OnEvent | null = null

  constructor(target: Target) {
    this.#target = target
  }

  /** Connects clients `u<from>` and following, and waits until each has received `connected`. */
  async connect(count: number, from = 0): Promise<void> {
    const tokens = Array.from({ length: count }, (_, i) => signToken(`u${from + i}`, this.#target.secret))
    const before = this.counts[events.connected.code] as number
    for (let i = 0; i < count; i++) {
      await until(
        () => i - ((this.counts[events.connected.code] as number) - before) < AT_ONCE,
        () =>
          `${i} connections under way, ${(this.counts[events.connected.code] as number) - before} connected`,
      )
      this.clients.push(
        new LeanClient(
          from + i,
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
    first?.send(encodeRequest('create_group', 1, fields))
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
      throw new Error(`the server refused: ${bytes.toString('latin1', start, end)}`)
    }
    this.onEvent?.(client, code, bytes, start, end)
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

/** A token of the user, for an hour. */
export function signToken(userId: string, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1_000) + 3_600
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, exp })}`
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`
}
