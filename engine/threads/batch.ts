/**
 * Batches: what threads send each other.
 *
 * A batch is one buffer of records, everything that one turn of the event loop sends to one other
 * thread: `[kind u8][id length u16][number u32][body length u32][id][body]`, little-endian. The two
 * sides agree on what each kind means (`shards/hub-records.ts`).
 */

/** One record; `id` and `body` are views into the batch, valid while it is being read. */
export type VisitRecord = (kind: number, number: number, id: Uint8Array, body: Uint8Array) => void

const HEADER_BYTES = 11
const NOTHING = new Uint8Array(0)

/** Reads a batch record by record. */
export function readBatch(batch: Uint8Array, visit: VisitRecord): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  for (let at = 0; at < batch.length; ) {
    const idEnd = at + HEADER_BYTES + view.getUint16(at + 1, true)
    const bodyEnd = idEnd + view.getUint32(at + 7, true)
    visit(
      batch[at] as number,
      view.getUint32(at + 3, true),
      viewOf(batch, at + HEADER_BYTES, idEnd),
      viewOf(batch, idEnd, bodyEnd),
    )
    at = bodyEnd
  }
}

/** Half of all ids and bodies are empty: a view is made only for others. */
function viewOf(batch: Uint8Array, start: number, end: number): Uint8Array {
  return start === end ? NOTHING : batch.subarray(start, end)
}

const SMALLEST_BYTES = 4 * 1024
const LARGEST_START_BYTES = 256 * 1024

/** Something that runs `task` when the current turn of the event loop ends. */
export type Defer = (task: () => void) => void

/**
 * Batch writer: the records from one thread for another, one batch per turn of the event loop.
 *
 * Records are appended to one growing buffer, which is handed over, not copied, when the turn
 * ends. No timer: under load a batch holds thousands of records, idle it holds one. Its bound is
 * its producer's: the hub counts the records that a shard has not processed (`Hub`), and a shard
 * receives no more mail than its inbox allows.
 */
export class BatchWriter {
  readonly #deliver: (batch: Uint8Array) => void
  readonly #defer: Defer
  #buffer: Buffer<ArrayBuffer> | null = null
  #length = 0
  /** Follows the load, so that a busy writer does not grow its buffer in every turn. */
  #startBytes = SMALLEST_BYTES

  constructor(deliver: (batch: Uint8Array) => void, defer: Defer) {
    this.#deliver = deliver
    this.#defer = defer
  }

  /** Whether no record waits for the end of the turn. */
  get isEmpty(): boolean {
    return this.#buffer === null
  }

  /** Appends one record; it is sent when the turn ends. */
  push(kind: number, number: number, id: Uint8Array = NOTHING, body: Uint8Array = NOTHING): void {
    const at = this.#length
    const end = at + HEADER_BYTES + id.length + body.length
    const buffer = this.#buffer && end <= this.#buffer.length ? this.#buffer : this.#grow(end)
    buffer[at] = kind
    buffer.writeUInt16LE(id.length, at + 1)
    buffer.writeUInt32LE(number, at + 3)
    buffer.writeUInt32LE(body.length, at + 7)
    if (id.length > 0) buffer.set(id, at + HEADER_BYTES)
    if (body.length > 0) buffer.set(body, at + HEADER_BYTES + id.length)
    this.#length = end
  }

  /** The last `bytes` bytes that were appended, until the next record: the body of the last one. */
  tail(bytes: number): Uint8Array {
    return this.#buffer?.subarray(this.#length - bytes, this.#length) ?? NOTHING
  }

  /** Sends the records so far now. */
  readonly flush = (): void => {
    const buffer = this.#buffer
    if (!buffer) return
    const batch = buffer.subarray(0, this.#length)
    const powerOfTwo = 2 ** Math.ceil(Math.log2(this.#length))
    this.#startBytes = Math.min(Math.max(powerOfTwo, SMALLEST_BYTES), LARGEST_START_BYTES)
    this.#buffer = null
    this.#length = 0
    this.#deliver(batch)
  }

  /** A buffer of at least `bytes` with the records so far; the first one of a turn is sent when the turn ends. */
  #grow(bytes: number): Buffer<ArrayBuffer> {
    const full = this.#buffer
    // Not from Node's pool: the batch's ArrayBuffer is transferred to the other thread.
    const buffer = Buffer.allocUnsafeSlow(Math.max(bytes, full ? 2 * full.length : this.#startBytes))
    if (full) buffer.set(full.subarray(0, this.#length))
    else this.#defer(this.flush)
    this.#buffer = buffer
    return buffer
  }
}
