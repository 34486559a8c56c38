/**
 * Attacker: one account that stays inside its limits and uses them fully.
 *
 * A fixed number of requests is always outstanding. After `rate_limited` or `overloaded` the client
 * waits `retryAfterMs`, so it is never disconnected for ignoring refusals (LIM-1). It connects from
 * an address of its own: limits per address protect the others from it, and it from nobody.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import type { RequestFields, RequestName } from '../../protocol/requests.ts'
import { signToken, type Target } from '../load/crowd.ts'
import { LeanClient } from '../load/lean-client.ts'

export const ATTACKER = 'mallory'
/** All of 127.0.0.0/8 is the loopback network on Linux. */
const ADDRESS = '127.0.9.9'

export class Attacker {
  readonly target: Target
  /** Answers other than refusals, and refusals. */
  answered = 0
  refused = 0
  /** The longest frame received, bytes. */
  largestFrame = 0
  stopped = false
  readonly #waiting = new Map<number, (retryAfterMs: number) => void>()
  readonly #clients: LeanClient[] = []
  #ref = 0

  constructor(target: Target) {
    this.target = target
  }

  /** Sends requests until `stop`; that number of them is outstanding at a time. */
  async flood(make: (ref: number, n: number) => Uint8Array, outstanding: number): Promise<void> {
    const client = await this.connect()
    let n = 0
    const one = async () => {
      while (!this.stopped) {
        const ref = ++this.#ref
        const retryAfterMs = await new Promise<number>((resolve) => {
          this.#waiting.set(ref, resolve)
          client.send(make(ref, n++))
        })
        if (retryAfterMs > 0) await delay(Math.min(retryAfterMs, 1_000))
      }
    }
    await Promise.race([Promise.all(Array.from({ length: outstanding }, one)), this.#untilStopped()])
  }

  /** Connects and waits for `connected`. */
  connect(): Promise<LeanClient> {
    return new Promise((resolve, reject) => {
      const client = new LeanClient(
        0,
        this.target.port,
        signToken(ATTACKER, this.target.secret),
        (_client, bytes, start, end) => {
          this.largestFrame = Math.max(this.largestFrame, end - start)
          const event = decodeEvent(bytes.subarray(start, end))
          if (!event) return
          if (event.event === 'connected') resolve(client)
          const ref = (event as unknown as { readonly ref: number }).ref
          const done = this.#waiting.get(ref)
          if (ref === 0 || !done) return
          this.#waiting.delete(ref)
          const fields = event.fields as { readonly retryAfterMs?: number }
          if (event.event === 'error' || event.event === 'message_error') {
            this.refused += 1
            done(fields.retryAfterMs ?? 1)
          } else {
            this.answered += 1
            done(0)
          }
        },
        () => reject(new Error('the server closed the attacker')),
        { localAddress: ADDRESS },
      )
      this.#clients.push(client)
    })
  }

  /** Connects and disconnects at once, that number at a time; waits after a refused upgrade. */
  async reconnect(atOnce: number): Promise<void> {
    const one = async () => {
      while (!this.stopped) {
        const client = await this.connect().catch(() => null)
        if (client) this.answered += 1
        else this.refused += 1
        client?.end()
        if (!client) await delay(100)
      }
    }
    await Promise.race([Promise.all(Array.from({ length: atOnce }, one)), this.#untilStopped()])
  }

  /** An HTTP request of the attacker; returns the response, whose body was not read. */
  http(method: string, path: string, body?: Uint8Array): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${signToken(ATTACKER, this.target.secret)}` }
      const { port } = this.target
      const options = { host: '127.0.0.1', port, localAddress: ADDRESS, method, path, headers, agent: false }
      const outgoing = httpRequest(options, resolve)
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  stop(): void {
    this.stopped = true
    for (const client of this.#clients) client.end()
  }

  async #untilStopped(): Promise<void> {
    while (!this.stopped) await delay(20)
  }
}

/** An attack that repeats one request, 8 outstanding. */
export function repeat<N extends RequestName>(name: N, fields: (n: number) => RequestFields<N>) {
  return (attacker: Attacker) => attacker.flood((ref, n) => encodeRequest(name, ref, fields(n)), 8)
}
