/**
 * Events for clients: an event of the table as the events that a Socket.IO client receives (SIO-1).
 *
 * The names are those of the table; each event has one map. A message has `id`, `sender` and `timestamp`
 * beside its own fields, and `new_message` contains it at the top, under `message`, or both. Times are ISO
 * texts unless the server is configured otherwise: the fields that contain times are found in the table
 * once, by their names, so that an event costs no search.
 */
import { type Event, type EventSpec, events } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import type { FieldMap, FieldType } from '../../protocol/schema.ts'

export interface EventOptions {
  /** Where `new_message` contains the message. */
  readonly message: 'both' | 'nested' | 'flat'
  readonly times: 'iso' | 'ms'
}

/** The name of an event and its only argument. */
export type ClientEvent = readonly [name: string, payload: Readonly<Record<string, unknown>>]

type Fields = Record<string, unknown>
type Conversion = (fields: Fields) => void

const TIME = /^(?:at|until|timestamp|expiresAt|lastSeenAt|joinedAt|mutedUntil|\w+edAt)$/
const MAX_DATE_MS = 8_640_000_000_000_000

export class EventsForClients {
  readonly #options: EventOptions
  readonly #times = new Map<string, Conversion>()

  constructor(options: EventOptions) {
    this.#options = options
    if (options.times === 'ms') return
    for (const [name, row] of Object.entries<EventSpec>(events)) {
      const convert = conversionOf(row.fields)
      if (convert) this.#times.set(name, convert)
    }
  }

  /** What the client receives for the event; its fields are changed and must not be used again. */
  of(event: Event): readonly ClientEvent[] {
    const fields = event.fields as Fields
    this.#times.get(event.event)?.(fields)
    switch (event.event) {
      case 'new_message':
        return [['new_message', this.#newMessage(fields['message'] as Message)]]
      case 'message_sent':
      case 'history':
      case 'search_results':
      case 'pins':
      case 'groups':
        return [[event.event, withClientMessages(fields)]]
      case 'message_error': {
        const { tempId, error, timestamp } = event.fields
        return [['message_error', { tempId, ...errorFields(error), timestamp }]]
      }
      case 'message_delivered':
      case 'message_read': {
        const { messageIds, ...rest } = event.fields
        // `upTo` can name more messages than are listed, also none of them.
        const ids: readonly (string | undefined)[] = messageIds.length > 0 ? messageIds : [undefined]
        return ids.map((messageId) => [event.event, { messageId, ...rest }])
      }
      case 'error':
        return [['error', errorFields(event.fields)]]
      default:
        return [[event.event, fields]]
    }
  }

  /** The result of a request that is answered with `ok`, whose fields are not in the table. */
  result({ fields }: Event<'ok'>): Fields {
    const entries = Object.entries(fields.result ?? {})
    return Object.fromEntries(entries.map(([name, value]) => [name, this.#resultOf(name, value)]))
  }

  #resultOf(name: string, value: unknown): unknown {
    const isTime = this.#options.times === 'iso' && TIME.test(name)
    return isTime && (typeof value === 'number' || typeof value === 'bigint') ? isoOf(Number(value)) : value
  }

  /** The time as clients receive it. */
  time(ms: number): string | number {
    return this.#options.times === 'iso' ? isoOf(ms) : ms
  }

  #newMessage(message: Message): Fields {
    const client = clientMessage(message)
    if (this.#options.message === 'flat') return client
    return this.#options.message === 'nested' ? { message: client } : { ...client, message: client }
  }
}

/** The fields of an error: `error` is its text. */
export function errorFields(error: {
  readonly code: string
  readonly message: string
  readonly field?: string | undefined
  readonly retryAfterMs?: number | undefined
}): Fields {
  const { code, message, field, retryAfterMs } = error
  return { error: message, message, code, retryAfterMs, field }
}

function clientMessage(message: Message): Fields {
  const { messageId: id, senderId, senderName, createdAt } = message
  return { id, ...message, sender: { id: senderId, name: senderName }, timestamp: createdAt }
}

/** Replaces the messages in an answer. */
function withClientMessages(fields: Fields): Fields {
  const one = (value: unknown) => {
    const holder = value as Fields
    return holder['message'] ? { ...holder, message: clientMessage(holder['message'] as Message) } : holder
  }
  const { messages, hits, groups } = fields
  if (Array.isArray(messages)) return { ...fields, messages: messages.map(clientMessage) }
  if (Array.isArray(hits)) return { ...fields, hits: hits.map(one) }
  if (!Array.isArray(groups)) return one(fields)
  const listed = groups.map((group: Fields) =>
    group['lastMessage'] ? { ...group, lastMessage: clientMessage(group['lastMessage'] as Message) } : group,
  )
  return { ...fields, groups: listed }
}

/** The conversion of the times in these fields; null if they contain none. */
function conversionOf(fields: FieldMap): Conversion | null {
  const steps: Conversion[] = []
  for (const [name, field] of Object.entries(fields)) {
    const convert = TIME.test(name) && field.shape.kind === 'uint' ? isoValue : partConversion(field)
    if (!convert) continue
    steps.push((value) => {
      const part = value[name]
      if (part !== undefined) value[name] = convert(part)
    })
  }
  if (steps.length === 0) return null
  return (value) => {
    for (const step of steps) step(value)
  }
}

function partConversion({ shape }: FieldType): ((part: unknown) => unknown) | null {
  if (shape.kind === 'record') {
    const convert = conversionOf(shape.record.fields)
    return (
      convert &&
      ((part) => {
        convert(part as Fields)
        return part
      })
    )
  }
  if (shape.kind === 'list') {
    const convert = partConversion(shape.item)
    return convert && ((part) => (part as readonly unknown[]).map(convert))
  }
  // The only tuples of events with a time are [userId, time] (receipts); seqs are in [groupId, seq, bool].
  if (shape.kind === 'tuple' && shape.items.length === 2) {
    return (part) => {
      const [userId, time] = part as readonly [string, number]
      return [userId, isoOf(time)]
    }
  }
  return null
}

function isoValue(value: unknown): unknown {
  return typeof value === 'number' ? isoOf(value) : value
}

/** Times beyond the calendar, such as "forever", stay numbers. */
function isoOf(ms: number): string | number {
  return ms <= MAX_DATE_MS ? new Date(ms).toISOString() : ms
}
