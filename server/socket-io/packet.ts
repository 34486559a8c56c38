/**
 * Packet: the packets of Socket.IO 5, text and attachments, in both directions (SIO-1).
 *
 * A packet is `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`. Attachments follow as binary messages
 * and are inserted where the JSON has placeholders. Malformed packets throw a `PacketError`, which closes
 * the transport. Bounded: at most `MAX_ATTACHMENTS`, at most `MAX_DEPTH` levels around a placeholder.
 */
import { ChatError } from '../../protocol/errors.ts'

export const packetTypes = {
  connect: 0,
  disconnect: 1,
  event: 2,
  ack: 3,
  connectError: 4,
  binaryEvent: 5,
  binaryAck: 6,
} as const

export interface Packet {
  readonly type: number
  readonly namespace: string
  readonly ackId: number | undefined
  /** Binary messages that follow. */
  readonly attachments: number
  readonly data: unknown
  /** Why the event is refused without reading it; of its data only the name was read. */
  readonly refusal: ChatError | null
}

/** Who sends a packet. */
export interface Sender {
  /** Empty before the client is connected. */
  readonly userId: string
  /** Why a text of this length with a file is refused now, or null. */
  refuseLarge(chars: number): ChatError | null
}

/** The packet is malformed. */
export class PacketError extends Error {
  override readonly name = 'PacketError'
}

const MAX_ATTACHMENTS = 10
const MAX_DEPTH = 16
/** Lists and maps in an event with a file. */
const MAX_PARTS = 1_000
const MAX_NAME_CHARS = 80
const NAME = /^\["([^"\\]{1,64})"/
/** `<type>[<attachments>-][<namespace>,][<ack id>]`, then the JSON. */
const HEAD = /^([0-6])(?:(\d{1,3})-)?(?:(\/[^,]*)(?:,|$))?(\d{1,15})?/
/** Names of a client's own events, which no client may send. */
const reserved: ReadonlySet<unknown> = new Set([
  ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'],
])

/**
 * Reads a packet. An event longer than `maxChars` is refused before its JSON is read, which would cost more,
 * unless it has a file (INP-2).
 * @throws PacketError
 */
export function parsePacket(text: string, maxChars: number, sender: Sender): Packet {
  const head = HEAD.exec(text)
  if (!head) throw new PacketError('unknown packet type')
  const [{ length }, typeText, attachmentsText, namespaceText = '/', ackText] = head
  const type = Number(typeText)
  const isBinary = type === packetTypes.binaryEvent || type === packetTypes.binaryAck
  if (isBinary !== (attachmentsText !== undefined)) throw new PacketError('illegal attachments')
  const attachments = Number(attachmentsText ?? 0)
  if (attachments > MAX_ATTACHMENTS) throw new PacketError('too many attachments')
  const refusal = text.length > maxChars ? refusalOf(text, length, maxChars, sender) : null
  const data = refusal ? nameIn(text, length) : parseJson(text.slice(length))
  if (!isValid(type, data) || (refusal && type !== packetTypes.event))
    throw new PacketError('invalid payload')
  const ackId = ackText === undefined ? undefined : Number(ackText)
  // Clients of older versions send a query behind the namespace.
  return { type, namespace: namespaceText.split('?')[0] ?? '/', ackId, attachments, data, refusal }
}

/** The text of a packet; `namespace` is empty for the main one. */
export function packetText(
  type: number,
  namespace: string,
  ackId: number | undefined,
  data: unknown,
): string {
  const json = data === undefined ? '' : JSON.stringify(data)
  return `${type}${namespace === '' ? '' : `${namespace},`}${ackId ?? ''}${json}`
}

/**
 * The value with the attachments instead of their placeholders.
 * @throws PacketError if a placeholder has no attachment or is nested too deeply
 */
export function insertAttachments(value: unknown, attachments: readonly Uint8Array[], depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new PacketError('attachments are nested too deeply')
  if (Array.isArray(value)) return value.map((part) => insertAttachments(part, attachments, depth + 1))
  const { _placeholder: isPlaceholder, num } = value as { _placeholder?: unknown; num?: unknown }
  if (isPlaceholder === true) {
    const found = typeof num === 'number' ? attachments[num] : undefined
    if (!found) throw new PacketError('illegal attachments')
    return found
  }
  const parts = Object.entries(value).map(([key, part]) => [
    key,
    insertAttachments(part, attachments, depth + 1),
  ])
  return Object.fromEntries(parts)
}

function refusalOf(text: string, at: number, maxChars: number, sender: Sender): ChatError | null {
  if (isUpload(text, at)) return sender.refuseLarge(text.length)
  return new ChatError('too_large', `an event must have at most ${maxChars} characters, unless it has a file`)
}

/** The name of an event in a list, without reading the rest. */
function nameIn(text: string, at: number): readonly [name: string] | undefined {
  const name = NAME.exec(text.slice(at, at + MAX_NAME_CHARS))?.[1]
  return name === undefined ? undefined : [name]
}

/** Files are one text or one list of bytes: JSON with many parts needs many times its size in memory. */
function isUpload(text: string, at: number): boolean {
  return nameIn(text, at)?.[0] === 'upload_file' && !hasMany('[', text) && !hasMany('{', text)
}

function hasMany(mark: string, text: string): boolean {
  let at = -1
  for (let count = 0; count <= MAX_PARTS; count++) {
    at = text.indexOf(mark, at + 1)
    if (at < 0) return false
  }
  return true
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new PacketError('the payload must be JSON')
  }
}

function isValid(type: number, data: unknown): boolean {
  switch (type) {
    case packetTypes.connect:
      return data === undefined || (typeof data === 'object' && !Array.isArray(data))
    case packetTypes.disconnect:
      return data === undefined
    case packetTypes.connectError:
      return typeof data === 'string' || typeof data === 'object'
    case packetTypes.event:
    case packetTypes.binaryEvent:
      return Array.isArray(data) && isEventName(data[0])
    default:
      return Array.isArray(data)
  }
}

function isEventName(name: unknown): boolean {
  return typeof name === 'number' || (typeof name === 'string' && !reserved.has(name))
}
