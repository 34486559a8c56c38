/**
 * Received: which posts each member has received, so that a loss cannot hide behind a twin.
 */
import type { Histogram } from 'hdr-histogram-js'
import { latencyHistogram } from '../../load/latency.ts'
import type { Member } from '../load/member.ts'
import type { PeerCrowd } from '../load/peer-crowd.ts'
import { markOf, nowUs } from '../load/post-content.ts'

export class Received {
  twins = 0
  readonly histogram: Histogram = latencyHistogram()
  readonly #seen: readonly Uint8Array[]

  /** Watches the deliveries of the crowd; at most `posts` numbers are used. */
  constructor(crowd: PeerCrowd, posts: number) {
    this.#seen = crowd.members.map(() => new Uint8Array(posts))
    crowd.onDelivery = (member, bytes, start, end) => {
      const { sender, number, dueUs } = markOf(bytes, start, end)
      // What its own sender receives differs between peers.
      if (sender === member.index) return
      const seen = this.#seen[member.index] as Uint8Array
      if (seen[number] === 1) this.twins += 1
      else this.histogram.recordValue(Math.max(1, nowUs() - dueUs))
      seen[number] = 1
    }
  }

  has(member: Member, number: number): boolean {
    return this.#seen[member.index]?.[number] === 1
  }
}
