/**
 * Topics: native fan-out, in slices where a topic is large.
 *
 * A transport writes an event to all subscribers of a topic before anything else happens: 4 ms for
 * 1,000 sockets, in which no frame is read, no answer leaves and no other group is served. So
 * a topic holds `SLICE` sockets, a larger one has more slices beside it (`g:x`, `g:x#1`, …), and
 * one slice is written in a turn of the event loop. What is published meanwhile joins the slices
 * that are still to come: one write for many events, the more so the busier it is. Each socket
 * gets every event once and in order.
 *
 * Bounded: above `MAX_PENDING_BYTES` a topic's slices are all written at once, which holds up
 * the thread and so everybody who publishes.
 */
import type { App, Socket } from './transport/transport.ts'

/** Sockets of a slice: about a millisecond of writes. */
const SLICE = 256
const MAX_PENDING_BYTES = 256 * 1024
/** Events that all slices have had are dropped from the list in lots of so many. */
const TRIM = 64

/** What the topics use of an app. */
export type PublishingApp = Pick<App, 'publish' | 'numSubscribers'>
/** What they use of a socket. */
export type SubscribingSocket = Pick<Socket, 'subscribe' | 'unsubscribe' | 'isSubscribed'>

/** What the front end wants of what is published. */
export interface PublishOptions {
  /** Messages of so many bytes and more are compressed. */
  readonly compressFrom: number
  /** How many frames were written, one for each subscriber, is added here. */
  readonly meters: { deliveries: number }
}

/** A topic of more than one slice. */
interface LargeTopic {
  readonly name: string
  /** Whether its messages are binary. */
  isBinary: boolean
  /** Published and not yet written by every slice. */
  events: Uint8Array[]
  bytes: number
  /** For each slice, how many of `events` it has had. */
  readonly written: number[]
  /** The slice whose turn is next. */
  next: number
}

export class Topics {
  readonly #app: PublishingApp
  readonly #defer: (task: () => void) => void
  readonly #options: PublishOptions
  readonly #large = new Map<string, LargeTopic>()
  /** Large topics with slices to write, in turn. */
  readonly #due = new Set<LargeTopic>()

  /** `defer` runs a task in the next turn of the event loop. */
  constructor(
    app: PublishingApp,
    defer: (task: () => void) => void,
    options: PublishOptions = { compressFrom: Number.POSITIVE_INFINITY, meters: { deliveries: 0 } },
  ) {
    this.#app = app
    this.#defer = defer
    this.#options = options
  }

  /** The socket gets what is published to the topic from now on. */
  subscribe(socket: SubscribingSocket, name: string): void {
    const topic = this.#large.get(name)
    if (!topic && this.#app.numSubscribers(name) < SLICE) {
      socket.subscribe(name)
      return
    }
    const large = topic ?? this.#grow(name)
    if (large.written.some((_, i) => socket.isSubscribed(sliceName(name, i)))) return
    let slice = large.written.findIndex((_, i) => this.#app.numSubscribers(sliceName(name, i)) < SLICE)
    if (slice < 0) slice = large.written.push(large.events.length) - 1
    // What was published before is not for this socket.
    this.#write(large, slice)
    socket.subscribe(sliceName(name, slice))
  }

  /** The socket has got what was published before, and gets no more. */
  unsubscribe(socket: SubscribingSocket, name: string): void {
    const large = this.#large.get(name)
    if (!large) {
      socket.unsubscribe(name)
      return
    }
    for (let slice = 0; slice < large.written.length; slice++) {
      if (!socket.isSubscribed(sliceName(name, slice))) continue
      this.#write(large, slice)
      socket.unsubscribe(sliceName(name, slice))
    }
  }

  /** Whether the socket hears the topic. */
  hears(socket: SubscribingSocket, name: string): boolean {
    const large = this.#large.get(name)
    return large
      ? large.written.some((_, i) => socket.isSubscribed(sliceName(name, i)))
      : socket.isSubscribed(name)
  }

  /** The topics that the socket hears. */
  of(socket: Pick<Socket, 'getTopics'>): readonly string[] {
    return socket.getTopics().map(topicOfSlice)
  }

  /** Whether anybody hears the topic. */
  hasSubscribers(name: string): boolean {
    return this.#large.has(name) || this.#app.numSubscribers(name) > 0
  }

  /** Sends to all subscribers of the topic, all text or all binary. Bytes are valid during the call only. */
  publish(name: string, message: Uint8Array, isBinary: boolean): void {
    const large = this.#large.get(name)
    if (!large || this.#shrunk(large)) {
      this.#send(name, message, isBinary)
      return
    }
    large.isBinary = isBinary
    large.events.push(Uint8Array.from(message))
    large.bytes += message.length
    if (large.bytes > MAX_PENDING_BYTES) this.#writeAll(large)
    else if (!this.#due.has(large)) {
      if (this.#due.size === 0) this.#defer(() => this.#turn())
      this.#due.add(large)
      this.#writeNext(large)
    }
  }

  /** One slice of one topic, the topics in turn. */
  #turn(): void {
    const [large] = this.#due
    if (!large) return
    this.#due.delete(large)
    if (large.events.length > 0) {
      this.#due.add(large)
      this.#writeNext(large)
      if (large.events.length === 0) this.#due.delete(large)
    }
    if (this.#due.size > 0) this.#defer(() => this.#turn())
  }

  #writeNext(large: LargeTopic): void {
    this.#write(large, large.next)
    large.next = (large.next + 1) % large.written.length
    this.#trim(large)
  }

  #writeAll(large: LargeTopic): void {
    for (let slice = 0; slice < large.written.length; slice++) this.#write(large, slice)
    this.#trim(large)
  }

  #write(large: LargeTopic, slice: number): void {
    const from = large.written[slice] ?? 0
    const name = sliceName(large.name, slice)
    for (let i = from; i < large.events.length; i++)
      this.#send(name, large.events[i] as Uint8Array, large.isBinary)
    large.written[slice] = large.events.length
  }

  #send(name: string, message: Uint8Array, isBinary: boolean): void {
    const { meters, compressFrom } = this.#options
    meters.deliveries += this.#app.numSubscribers(name)
    this.#app.publish(name, message, isBinary, message.length >= compressFrom)
  }

  /** Drops events that every slice has had. */
  #trim(large: LargeTopic): void {
    const done = Math.min(...large.written)
    if (done < large.events.length && done < TRIM) return
    for (let i = 0; i < done; i++) large.bytes -= (large.events[i] as Uint8Array).length
    large.events = large.events.slice(done)
    for (let slice = 0; slice < large.written.length; slice++)
      large.written[slice] = (large.written[slice] as number) - done
  }

  #grow(name: string): LargeTopic {
    const large: LargeTopic = { name, isBinary: true, events: [], bytes: 0, written: [0], next: 0 }
    this.#large.set(name, large)
    return large
  }

  /** Lets empty slices at the end go; true where the topic is no longer large. */
  #shrunk(large: LargeTopic): boolean {
    while (large.written.length > 1) {
      if (this.#app.numSubscribers(sliceName(large.name, large.written.length - 1)) > 0) return false
      large.written.pop()
      large.next %= large.written.length
    }
    this.#writeAll(large)
    this.#due.delete(large)
    this.#large.delete(large.name)
    return true
  }
}

function topicOfSlice(slice: string): string {
  const mark = slice.indexOf('#')
  return mark < 0 ? slice : slice.slice(0, mark)
}

/** Slice 0 is the topic itself; `#` is in no id. */
function sliceName(name: string, slice: number): string {
  return slice === 0 ? name : `${name}#${slice}`
}
