/**
 * Poll queue: the packets of a session that polls, and the poll that waits for them. Not bounded here: its
 * owner checks `bytes`.
 */
import type { Response } from '../transport/transport.ts'

/** A poll that waits for packets. */
export interface Poll {
  readonly response: Response
  readonly answer: (packets: string) => void
}

/** Ends a poll, or a WebSocket's wait for one, without a message. */
export const NOOP = '6'
const SEPARATOR = '\x1e'

export class PollQueue {
  #poll: Poll | null = null
  #packets: string[] = []
  #bytes = 0

  get hasPoll(): boolean {
    return this.#poll !== null
  }

  get bytes(): number {
    return this.#bytes
  }

  push(packet: string, bytes: number = packet.length): void {
    this.#packets.push(packet)
    this.#bytes += bytes
  }

  /** A poll waits from now on. */
  wait(poll: Poll): void {
    this.#poll = poll
  }

  /** Answers the poll with all packets. Returns false if there is none of either. */
  answer(): boolean {
    if (!this.#poll || this.#packets.length === 0) return false
    const { answer } = this.#poll
    this.#poll = null
    answer(this.takeAll().join(SEPARATOR))
    return true
  }

  /** Ends a waiting poll, so that the client stops polling. */
  release(): void {
    const poll = this.#poll
    this.#poll = null
    poll?.answer(NOOP)
  }

  /** The client of this response has disconnected. Returns whether it was the waiting poll. */
  aborted(response: Response): boolean {
    if (this.#poll?.response !== response) return false
    this.#poll = null
    return true
  }

  /** Empties the queue. */
  takeAll(): readonly string[] {
    const packets = this.#packets
    this.#packets = []
    this.#bytes = 0
    return packets
  }
}
