/**
 * Chatter: a member of one group that sends messages all the time, and reconnects and resumes as a client does.
 *
 * It records what a correct server never does: a second seq for one message, an event twice or out of order, and
 * how often its connection was closed.
 */
import type { Event } from '../../protocol/events.ts'
import { LogModel } from './log-model.ts'
import { tokenOf } from './server-process.ts'
import { type Ended, SocketClient } from './socket-client.ts'

const RETRY_MS = 20

export class Chatter {
  readonly userId: string
  readonly model: LogModel
  /** The seq of each acknowledged message, by its tempId. */
  readonly acknowledged = new Map<string, number>()
  readonly violations: string[] = []
  readonly closes: Ended[] = []
  readonly #port: number
  readonly #inFlight: number
  /** Messages without an answer, by ref. */
  readonly #unanswered = new Map<number, string>()
  #client: SocketClient | null = null
  #lastRef = 10
  #lastMessage = 0
  #sends = true

  constructor(port: number, userId: string, groupId: string, inFlight: number) {
    this.#port = port
    this.userId = userId
    this.model = new LogModel(groupId)
    this.#inFlight = inFlight
  }

  /** Connects, sees the group from its first event on, and begins to send. */
  async start(): Promise<this> {
    await this.#connect()
    this.#fill()
    return this
  }

  get unanswered(): number {
    return this.#unanswered.size
  }

  /** Sends no new messages; those under way are repeated until they are acknowledged. */
  finish(): void {
    this.#sends = false
  }

  /** Ends the connection and does not reconnect. */
  end(): void {
    this.#sends = false
    const client = this.#client
    this.#client = null
    client?.ws.terminate()
  }

  async #connect(): Promise<void> {
    const client = new SocketClient(this.#port, { token: await tokenOf(this.userId) })
    const live: Event[] = []
    let isResumed = false
    client.onEvent((event) => {
      if (event.event === 'resumed') {
        isResumed = true
        for (const held of live.sort((a, b) => seqOf(a) - seqOf(b))) this.model.take(held)
        return
      }
      this.#answered(event)
      if (isResumed) this.model.take(event)
      else live.push(event)
    })
    await client.next('connected')
    client.send('resume', 1, { groups: [[this.model.groupId, this.model.lastSeq]] })
    await client.next('resumed')
    this.#client = client
    void client.closed().then((ended) => {
      if (this.#client !== client) return
      this.closes.push(ended)
      this.#client = null
      this.#reconnect()
    })
    const again = [...this.#unanswered.values()]
    this.#unanswered.clear()
    for (const tempId of again) this.#send(tempId)
  }

  #reconnect(): void {
    this.#connect().catch(() => setTimeout(() => this.#reconnect(), RETRY_MS))
  }

  #fill(): void {
    while (this.#sends && this.#unanswered.size < this.#inFlight) {
      this.#lastMessage += 1
      this.#send(`${this.userId}-${this.#lastMessage}`)
    }
  }

  #send(tempId: string): void {
    this.#lastRef += 1
    this.#unanswered.set(this.#lastRef, tempId)
    this.#client?.send('send_message', this.#lastRef, {
      groupId: this.model.groupId,
      content: tempId,
      tempId,
    })
  }

  #answered(event: Event): void {
    if (event.event === 'message_sent') {
      const { tempId, message } = event.fields
      const before = this.acknowledged.get(tempId)
      if (before !== undefined && before !== message.seq)
        this.violations.push(`${tempId} was acknowledged as ${before} and as ${message.seq}`)
      this.acknowledged.set(tempId, message.seq)
      for (const [ref, other] of this.#unanswered) if (other === tempId) this.#unanswered.delete(ref)
      this.#fill()
    } else if (event.event === 'message_error' || event.event === 'error') {
      const tempId = this.#unanswered.get(event.ref)
      if (tempId === undefined) return
      // Refused for now: sent again.
      this.#unanswered.delete(event.ref)
      const held = -this.#lastRef
      this.#lastRef += 1
      this.#unanswered.set(held, tempId)
      setTimeout(() => {
        if (this.#unanswered.delete(held)) this.#send(tempId)
      }, RETRY_MS)
    }
  }
}

function seqOf(event: Event): number {
  if (event.event === 'new_message') return event.fields.message.seq
  return 'seq' in event.fields && typeof event.fields.seq === 'number' ? event.fields.seq : 0
}
