/**
 * Topics: native fan-out, in slices for large topics.
 *
 * A transport writes an event to all subscribers of a topic in one synchronous call: 4 ms for 1,000
 * sockets, during which no frame is read, no answer is sent and no other group is served. So a topic holds
 * `SLICE` sockets, and a larger one has more slices (`g:x`, `g:x#1`, …). One slice is written per turn of
 * the event loop. Events published meanwhile join the slices that are still to be written: one write for
 * many events, more of them under higher load. Each socket receives every event once and in order.
 *
 * Bounded: above `MAX_PENDING_BYTES` all slices of a topic are written at once, which blocks the thread
 * and thereby every publisher.
 */
import type { App, Socket } from './transport/transport.ts'
import type { Wire, WithoutTopic } from './wire.ts'

/** Sockets per slice: about a millisecond of writes. */
const SLICE = 256
const MAX_PENDING_BYTES = 256 * 1024
/** Events that every slice has written are removed from the list in batches of this size. */
const TRIM = 64

/** The part of an app that topics use. */
export type PublishingApp = Pick<App, 'publish' | 'numSubscribers'>
/** The part of a socket that topics use. */
export type SubscribingSocket = Pick<Socket, 'subscribe' | 'unsubscribe' | 'isSubscribed'>

/** How an event frame becomes a message. */
export type MessageFormat = Pick<Wire, 'isBinary' | 'encode'>

/** How published messages are written and counted. */
export interface PublishOptions {
  /** Messages of this many bytes and more are compressed. */
  readonly compressFrom: number
  /** The number of written frames, one per subscriber, is added here. */
  readonly meters: { deliveries: number }
}

/** A message that waits for its slices. */
interface Published {
  readonly message: Uint8Array
  /** Does not receive it. Each slice is asked when it is written, so that none is written earlier for it. */
  readonly except: WithoutTopic | null
}

/** A topic with more than one slice. */
interface LargeTopic {
  readonly name: string
  /** Whether its messages are binary. */
  isBinary: boolean
  /** Published and not yet written by every slice. */
  events: Published[]
  bytes: number
  /** For each slice: how many of `events` it has written. */
  readonly written: number[]
  /** The slice that is written next. */
  next: number
}

export class Topics {
  readonly #app: PublishingApp
  readonly #defer: (task: () => void) => void
  readonly #options: PublishOptions
  readonly #large = new Map<string, LargeTopic>()
  /** Large topics with slices to write, round robin. */
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

  /** The socket receives what is published to the topic from now on. */
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
    // The socket must not receive earlier events.
    this.#write(large, slice)
    socket.subscribe(sliceName(name, slice))
  }

  /** The socket has received what was published before, and receives nothing further. */
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

  /** Whether the socket subscribes to the topic. */
  isSubscribed(socket: SubscribingSocket, name: string): boolean {
    const large = this.#large.get(name)
    return large
      ? large.written.some((_, i) => socket.isSubscribed(sliceName(name, i)))
      : socket.isSubscribed(name)
  }

  /** The topics of the socket. */
  of(socket: Pick<Socket, 'getTopics'>): readonly string[] {
    return socket.getTopics().map(topicOfSlice)
  }

  /**
   * Sends an event frame to all subscribers of the topic, encoded once; all its messages have one wire.
   * The bytes are valid during the call only. `except` does not receive it. Returns the message, or null if nobody
   * subscribes.
   */
  publish(
    name: string,
    frame: Uint8Array,
    wire: MessageFormat,
    except: WithoutTopic | null = null,
  ): Uint8Array | null {
    const large = this.#large.get(name)
    if (!large || this.#shrunk(large)) {
      const subscribers = this.#app.numSubscribers(name)
      if (subscribers === 0) return null
      const message = wire.encode(frame)
      this.#send(name, message, wire.isBinary, subscribers, except)
      return message
    }
    const message = wire.encode(frame)
    large.isBinary = wire.isBinary
    large.events.push({ message: Uint8Array.from(message), except })
    large.bytes += message.length
    if (large.bytes > MAX_PENDING_BYTES) this.#writeAll(large)
    else if (!this.#due.has(large)) {
      if (this.#due.size === 0) this.#defer(() => this.#turn())
      this.#due.add(large)
      this.#writeNext(large)
    }
    return message
  }

  /** Writes one slice of one topic; topics take turns. */
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
    const subscribers = from < large.events.length ? this.#app.numSubscribers(name) : 0
    for (let i = from; i < large.events.length; i++) {
      const { message, except } = large.events[i] as Published
      this.#send(name, message, large.isBinary, subscribers, except)
    }
    large.written[slice] = large.events.length
  }

  #send(
    name: string,
    message: Uint8Array,
    isBinary: boolean,
    subscribers: number,
    except: WithoutTopic | null,
  ): void {
    if (!except) return this.#sendAll(name, message, isBinary, subscribers)
    except.publishWithout(name, () => {
      this.#sendAll(name, message, isBinary, this.#app.numSubscribers(name))
    })
  }

  #sendAll(name: string, message: Uint8Array, isBinary: boolean, subscribers: number): void {
    const { meters, compressFrom } = this.#options
    meters.deliveries += subscribers
    this.#app.publish(name, message, isBinary, message.length >= compressFrom)
  }

  /** Removes events that every slice has written. */
  #trim(large: LargeTopic): void {
    const done = Math.min(...large.written)
    if (done < large.events.length && done < TRIM) return
    for (let i = 0; i < done; i++) large.bytes -= (large.events[i] as Published).message.length
    large.events = large.events.slice(done)
    for (let slice = 0; slice < large.written.length; slice++)
      large.written[slice] = (large.written[slice] as number) - done
  }

  #grow(name: string): LargeTopic {
    const large: LargeTopic = { name, isBinary: true, events: [], bytes: 0, written: [0], next: 0 }
    this.#large.set(name, large)
    return large
  }

  /** Removes empty slices at the end; true if the topic is no longer large. */
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

/** Slice 0 is the topic itself. No id contains `#`. */
function sliceName(name: string, slice: number): string {
  return slice === 0 ? name : `${name}#${slice}`
}
