/**
 * Wire: one way to write frames on a socket, which is one subprotocol (TRN-2).
 *
 * The engine reads and writes msgpack frames only. A wire converts a client's message to a frame and
 * an event frame to a message. Each wire has topics of its own, so that an event is encoded once for
 * all its subscribers. The rest of the server does not know which wires there are.
 */
import { peekHead } from '../protocol/frame-head.ts'
import { eventToJson, refOf as refOfJson, requestFromJson } from '../protocol/json-codec.ts'
import { subprotocols } from '../protocol/subprotocols.ts'

export interface Wire {
  readonly subprotocol: string
  /** Whether its messages are binary. */
  readonly isBinary: boolean
  /** Begins the names of its topics. */
  readonly topicPrefix: string
  /** How many bytes of a message can be needed for one byte of the frame. */
  readonly bytesPerFrameByte: number
  /**
   * Converts a client's message to a msgpack frame, which may be the same bytes. Validates no fields.
   * @throws ChatError `bad_request` or `unknown_event`
   */
  decode(message: Uint8Array): Uint8Array
  /** Converts an event frame to a message, which may be the same bytes. */
  encode(frame: Uint8Array): Uint8Array
  /** The ref of a message that is refused without decoding it; 0 if it has none. */
  refOf(message: Uint8Array): number
  /** How published events are written, if not like events to one connection. */
  readonly published?: PublishedFormat
}

/** Messages for all subscribers of a topic. */
export interface PublishedFormat extends Pick<Wire, 'isBinary' | 'encode'> {
  /** The connection that receives the answer to its request instead of this event. */
  posterOf(frame: Uint8Array): WithoutTopic | null
}

/** A connection that can miss one event. */
export interface WithoutTopic {
  /** Calls `publish` while this connection does not receive what the transport publishes to the topic. */
  publishWithout(name: string, publish: () => void): void
}

export const msgpackWire: Wire = {
  subprotocol: subprotocols.msgpack,
  isBinary: true,
  topicPrefix: '',
  bytesPerFrameByte: 1,
  decode: (message) => message,
  encode: (frame) => frame,
  refOf: (message) => peekHead(message)?.ref ?? 0,
}

const jsonWire: Wire = {
  subprotocol: subprotocols.json,
  isBinary: false,
  topicPrefix: 'j',
  // TRN-5: an escape such as \u0061 needs six bytes of text for one byte of the value.
  bytesPerFrameByte: 6,
  decode: (message) => requestFromJson(textOf(message)),
  encode: (frame) => Buffer.from(eventToJson(frame)),
  refOf: (message) => refOfJson(textOf(message)),
}

/** Every wire; the first is the default. */
export const wires: readonly [Wire, ...Wire[]] = [msgpackWire, jsonWire]

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString()
}
