/**
 * Document: `/asyncapi.json` as the page shows it: messages with their fields, what answers them, and
 * the records that they contain.
 */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Of a list; a tuple has one for each place. */
  readonly items?: Schema | readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly additionalProperties?: Schema | boolean
}

interface Reference {
  readonly $ref: string
}

export interface AsyncApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly channels: { readonly chat: { readonly address: string } }
  readonly operations: Readonly<
    Record<string, { readonly action: string; readonly reply?: { readonly messages: readonly Reference[] } }>
  >
  readonly components: {
    readonly messages: Readonly<Record<string, MessageSchema>>
    readonly schemas: Readonly<Record<string, Schema>>
  }
}

interface MessageSchema {
  readonly name: string
  readonly payload: Schema
  readonly 'x-tertulia-code': number
}

/** A message, in either direction. `id` is its id in the document: `request.send_message`. */
export interface MessageItem {
  readonly id: string
  readonly name: string
  readonly code: number
  readonly kind: 'request' | 'event'
  readonly data: Schema
  /** The ids of the events that answer a request. */
  readonly answers: readonly string[]
  /** The ids of the requests that an event answers. */
  readonly answersTo: readonly string[]
}

/** All messages, requests first, in the order of the document. */
export function messagesOf({ components, operations }: AsyncApiDocument): readonly MessageItem[] {
  const answers = new Map(
    Object.entries(operations).map(([key, { reply }]) => [
      key,
      (reply?.messages ?? []).map(({ $ref }) => lastPart($ref)),
    ]),
  )
  return Object.entries(components.messages).map(([key, message]) => ({
    id: key,
    name: message.name,
    code: message['x-tertulia-code'],
    kind: key.startsWith('request.') ? 'request' : 'event',
    data: message.payload.properties?.['data'] ?? {},
    answers: answers.get(key) ?? [],
    answersTo: [...answers].filter(([, by]) => by.includes(key)).map(([request]) => request),
  }))
}

/** The schema of the items of a list; null for a tuple. */
export function itemOf({ items }: Schema): Schema | null {
  return items && !isTuple(items) ? items : null
}

/** The schemas of the places of a tuple; null for a list. */
export function placesOf({ items }: Schema): readonly Schema[] | null {
  return items && isTuple(items) ? items : null
}

function isTuple(items: Schema | readonly Schema[]): items is readonly Schema[] {
  return Array.isArray(items)
}

/** The part behind the last slash of a reference. */
export function lastPart(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1)
}
