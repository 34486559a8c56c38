/**
 * Socket.IO wire: events that are published to Socket.IO clients, encoded once as the text of a packet.
 *
 * Frames between a connection and its socket stay msgpack: the socket converts them (`client-socket.ts`),
 * because answers depend on the client's acknowledgement ids. The session that posted a message receives
 * `message_sent` for it and not `new_message` as well, or an app that shows its own message at once would
 * show it twice. Bounded by the requests that wait for an answer.
 */
import { decodeEvent } from '../../protocol/codec.ts'
import { type Event, events } from '../../protocol/events.ts'
import { codeOf } from '../../protocol/frame-head.ts'
import { msgpackWire, type Wire, type WithoutTopic } from '../wire.ts'
import type { EventsForClients } from './events-for-clients.ts'

const NEW_MESSAGE_CODE: number = events.new_message.code
/** The Engine.IO packet that clients ignore: an empty message ends some of them. */
const nothing = Buffer.from('6')

/** The sessions that wait for the answer to a post, by sender and tempId. */
export class Posts {
  readonly #waiting = new Map<string, WithoutTopic>()

  get size(): number {
    return this.#waiting.size
  }

  /** The first session that posts a tempId causes the message, whatever other sessions repeat. IDM-1 */
  add(userId: string, tempId: string, connection: WithoutTopic): void {
    const key = `${userId}\0${tempId}`
    if (!this.#waiting.has(key)) this.#waiting.set(key, connection)
  }

  remove(userId: string, tempId: string, connection: WithoutTopic): void {
    const key = `${userId}\0${tempId}`
    if (this.#waiting.get(key) === connection) this.#waiting.delete(key)
  }

  of(event: Event<'new_message'>): WithoutTopic | null {
    const { senderId, tempId } = event.fields.message
    return this.#waiting.get(`${senderId}\0${tempId}`) ?? null
  }
}

export function socketIoWire(translate: EventsForClients, posts: Posts): Wire {
  /** The frame that `posterOf` decoded, so that `encode` does not decode it again. */
  let decoded: { readonly frame: Uint8Array; readonly event: Event | null } | null = null
  const eventOf = (frame: Uint8Array): Event | null => {
    const event = decoded?.frame === frame ? decoded.event : decodeEvent(frame)
    decoded = null
    return event
  }
  return {
    ...msgpackWire,
    subprotocol: 'socket.io',
    topicPrefix: 's',
    published: {
      isBinary: false,
      encode(frame) {
        const event = eventOf(frame)
        const [first] = event ? translate.of(event) : []
        return first ? Buffer.from(`42${JSON.stringify(first)}`) : nothing
      },
      posterOf(frame) {
        if (posts.size === 0 || codeOf(frame) !== NEW_MESSAGE_CODE) return null
        const event = decodeEvent(frame)
        decoded = { frame, event }
        return event?.event === 'new_message' ? posts.of(event as Event<'new_message'>) : null
      },
    },
  }
}
