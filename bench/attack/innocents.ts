/**
 * Innocents: pairs that chat on a fixed schedule, and users who connect for the first time.
 *
 * A message is due every 50 ms. Its time is measured from then to `message_sent`, so that a stall
 * shows in each message that was due during it (no coordinated omission). A newcomer connects every
 * 100 ms, each from another address; its time is measured to `connected`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Histogram } from 'hdr-histogram-js'
import { encodeRequest } from '../../protocol/codec.ts'
import { events } from '../../protocol/events.ts'
import { wholeNumberAt } from '../../protocol/frame-head.ts'
import { signToken, type Target, until } from '../load/crowd.ts'
import { latencyHistogram } from '../load/latency.ts'
import { LeanClient } from '../load/lean-client.ts'
import { PAIRS, VICTIMS } from './world.ts'

const MESSAGE_EVERY_MS = 50
const NEWCOMER_EVERY_MS = 100
const ADDRESSES = 200
const DEADLINE_MS = 60_000

/** Milliseconds. */
export interface Times {
  readonly ackP99: number
  readonly connectP99: number
}

export class Innocents {
  readonly #target: Target
  readonly #senders: LeanClient[] = []
  readonly #clients: LeanClient[] = []
  readonly #due = new Map<number, number>()
  #acks: Histogram = latencyHistogram()
  #ref = 0
  #newcomers = 0

  constructor(target: Target) {
    this.#target = target
  }

  /** Connects one of each pair, and the victims of the attacker's groups. */
  async connect(): Promise<void> {
    const names = [
      ...Array.from({ length: PAIRS }, (_, i) => `a${i}`),
      ...Array.from({ length: PAIRS }, (_, i) => `b${i}`),
      ...Array.from({ length: VICTIMS }, (_, i) => `v${i}`),
    ]
    for (const [i, name] of names.entries()) {
      const client = await this.#connect(name, i, (bytes, start) => {
        if (bytes[start + 1] === events.message_sent.code) this.#acknowledged(bytes, start)
      })
      this.#clients.push(client)
      if (name.startsWith('a')) this.#senders.push(client)
    }
  }

  /** Chats and connects for that time. @throws Error if an answer does not arrive within a minute. */
  async measure(ms: number): Promise<Times> {
    this.#acks = latencyHistogram()
    const connects = latencyHistogram()
    const startedAt = performance.now()
    const arriving: Promise<void>[] = []
    let messages = 0
    let newcomers = 0
    for (;;) {
      const now = performance.now() - startedAt
      if (now >= ms) break
      while (messages * MESSAGE_EVERY_MS <= now)
        this.#post(messages, startedAt + messages++ * MESSAGE_EVERY_MS)
      while (newcomers * NEWCOMER_EVERY_MS <= now) {
        arriving.push(this.#arrive(startedAt + newcomers++ * NEWCOMER_EVERY_MS, connects))
      }
      await delay(1)
    }
    await until(
      () => this.#due.size === 0,
      () => `${this.#due.size} messages without an answer`,
      DEADLINE_MS,
    )
    await Promise.all(arriving)
    const p99 = (histogram: Histogram) => histogram.getValueAtPercentile(99) / 1_000
    return { ackP99: p99(this.#acks), connectP99: p99(connects) }
  }

  end(): void {
    for (const client of this.#clients) client.end()
  }

  #post(n: number, dueAt: number): void {
    const pair = n % PAIRS
    const ref = ++this.#ref
    this.#due.set(ref, dueAt)
    const fields = {
      groupId: `pair${pair}`,
      content: 'a message of about the usual length',
      tempId: `${dueAt}`,
    }
    this.#senders[pair]?.send(encodeRequest('send_message', ref, fields))
  }

  #acknowledged(bytes: Buffer, start: number): void {
    const ref = wholeNumberAt(bytes, start + 2)
    const dueAt = this.#due.get(ref)
    this.#due.delete(ref)
    if (dueAt !== undefined)
      this.#acks.recordValue(Math.max(1, Math.round((performance.now() - dueAt) * 1_000)))
  }

  async #arrive(dueAt: number, connects: Histogram): Promise<void> {
    const n = this.#newcomers++
    const client = await this.#connect(`newcomer${n}`, n, () => {})
    connects.recordValue(Math.max(1, Math.round((performance.now() - dueAt) * 1_000)))
    client.end()
  }

  #connect(
    userId: string,
    index: number,
    onFrame: (bytes: Buffer, start: number) => void,
  ): Promise<LeanClient> {
    return new Promise((resolve, reject) => {
      const client = new LeanClient(
        index,
        this.#target.port,
        signToken(userId, this.#target.secret),
        (_client, bytes, start) => {
          if (bytes[start + 1] === events.connected.code) resolve(client)
          else onFrame(bytes, start)
        },
        () => reject(new Error(`the server closed ${userId}`)),
        { localAddress: `127.0.1.${1 + (index % ADDRESSES)}` },
      )
    })
  }
}
