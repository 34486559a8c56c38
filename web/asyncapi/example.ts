/**
 * Example: a frame that the schema of a message allows, with values that a reader recognizes.
 */
import { itemOf, lastPart, placesOf, type Schema } from './document.ts'

const MAX_DEPTH = 4
const AT = 1_764_162_000_000
/** Values of fields by name; others get one by type. */
const values: Readonly<Record<string, unknown>> = {
  groupId: 'kitchen',
  messageId: 'kitchen:41',
  replyToId: 'kitchen:40',
  fileId: 'kitchen:f4k2m9x1c7q8w3e5r',
  userId: 'ana',
  senderId: 'ana',
  by: 'ana',
  name: 'Ana',
  senderName: 'Ana',
  content: 'olá, @bruno',
  query: 'olá',
  tempId: 'b2f1',
  emoji: '👍',
  seq: 41,
  lastSeq: 41,
  memberIds: ['ana', 'bruno'],
  members: ['ana', 'bruno'],
  mentions: ['bruno'],
  token: 'eyJ…',
  messageIds: ['kitchen:41'],
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  url: '/api/chat/files/kitchen:f4k2m9x1c7q8w3e5r',
  mimeType: 'image/png',
  fileName: 'bread.png',
}

/** The frame of `tertulia.v1.json`. Optional fields are left out, unless nothing is required. */
export function exampleFrame(
  name: string,
  kind: 'request' | 'event',
  data: Schema,
  schemas: Readonly<Record<string, Schema>>,
): string {
  const frame = { event: name, ref: kind === 'request' ? 1 : 0, data: exampleOf('', data, schemas, 0) }
  return JSON.stringify(frame, null, 2)
}

function exampleOf(
  name: string,
  given: Schema,
  schemas: Readonly<Record<string, Schema>>,
  depth: number,
): unknown {
  const schema = given.$ref ? (schemas[lastPart(given.$ref)] ?? {}) : given
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.properties) return depth > MAX_DEPTH ? {} : objectOf(schema, schemas, depth)
  const places = placesOf(schema)
  if (places) {
    const names = ['groupId', 'seq']
    return places.map((place, at) => exampleOf(names[at] ?? '', place, schemas, depth + 1))
  }
  const known = values[name]
  const isList = schema.type === 'array'
  const item = itemOf(schema)
  if (known !== undefined && Array.isArray(known) === isList && !item?.$ref) return known
  if (isList) return item && depth < MAX_DEPTH ? [exampleOf(name, item, schemas, depth + 1)] : []
  if (schema.type === 'integer' || schema.type === 'number') return numberOf(name, schema)
  if (schema.type === 'boolean') return true
  return schema.type === 'object' ? {} : 'text'
}

function objectOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth: number) {
  const required = new Set(schema.required)
  return Object.fromEntries(
    Object.entries(schema.properties ?? {})
      .filter(([name]) => required.size === 0 || required.has(name))
      .map(([name, property]) => [name, exampleOf(name, property, schemas, depth + 1)]),
  )
}

function numberOf(name: string, { minimum = 0 }: Schema): number {
  if (/(At|Until|timestamp)$/i.test(name)) return AT
  return Math.max(minimum, 1)
}
