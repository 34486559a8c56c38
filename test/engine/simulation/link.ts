/**
 * Link: the connection between a front and the engine of a simulation, as records in channels of the scheduler.
 *
 * What one turn sends is one batch. It arrives in one or more pieces, which end between two records. When the
 * link breaks each side handles some of what is in flight, and the rest is lost.
 */
import { BatchWriter, readBatch, type VisitRecord } from '../../../engine/threads/batch.ts'
import type { GatewayLink } from '../../../server/link/linked-gateway.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

type LinkRecord = Parameters<VisitRecord>

/** One direction of a link. */
export class Direction implements GatewayLink {
  readonly unsentBytes = 0
  readonly #random: Random
  readonly #scheduler: Scheduler
  readonly #channel: string
  readonly #visit: VisitRecord
  readonly #writer: BatchWriter
  #inFlight: LinkRecord[] = []
  #ended = false

  constructor(random: Random, scheduler: Scheduler, channel: string, visit: VisitRecord) {
    this.#random = random
    this.#scheduler = scheduler
    this.#channel = channel
    this.#visit = visit
    this.#writer = new BatchWriter((batch) => this.#deliver(batch), scheduler.defer)
  }

  push(kind: number, number: number, id?: Uint8Array, body?: Uint8Array): void {
    if (!this.#ended) this.#writer.push(kind, number, id, body)
  }

  pushBody(kind: number, number: number, body: Uint8Array): Uint8Array {
    if (this.#ended) return Uint8Array.from(body)
    this.#writer.push(kind, number, undefined, body)
    return this.#writer.tail(body.length)
  }

  /** Everything that was sent arrives, and nothing follows. */
  finish(): void {
    this.#writer.flush()
    this.#handle(this.#inFlight.length)
    this.#ended = true
  }

  /** The link has broken: only some of what is in flight arrives, and nothing follows. */
  break(): void {
    this.#ended = true
    this.#handle(this.#random.between(0, this.#inFlight.length))
    this.#inFlight = []
  }

  #deliver(batch: Uint8Array): void {
    if (this.#ended) return
    let count = 0
    readBatch(batch, (...record) => {
      this.#inFlight.push(record)
      count += 1
    })
    const first = this.#random.chance(0.3) ? this.#random.between(0, count) : count
    for (const piece of [first, count - first]) {
      if (piece > 0) this.#scheduler.enqueue(this.#channel, () => this.#handle(piece))
    }
  }

  #handle(count: number): void {
    for (const record of this.#inFlight.splice(0, count)) this.#visit(...record)
  }
}
