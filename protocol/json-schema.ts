/**
 * JSON Schema: the fields of the tables, for OpenAPI, AsyncAPI and other descriptions of JSON.
 * Limits of texts are in bytes of UTF-8, which JSON Schema cannot express: `maxLength` is the
 * greatest number of characters that can fit, and the description gives the bytes.
 */
import { records } from './records.ts'
import type { FieldMap, FieldType } from './schema.ts'

export type JsonSchema = { readonly [key: string]: unknown }

/** The differences between the drafts of JSON Schema. */
export interface SchemaDialect {
  /** The path of the records: `#/components/schemas/`. */
  readonly recordsAt: string
  /** A tuple of exactly these items, in the keywords of the draft. */
  tuple(items: readonly JsonSchema[]): JsonSchema
}

/** JSON Schema 2020-12, of OpenAPI 3.1. */
export const draft2020: SchemaDialect = {
  recordsAt: '#/components/schemas/',
  tuple: (items) => ({
    type: 'array',
    prefixItems: items,
    items: false,
    minItems: items.length,
    maxItems: items.length,
  }),
}

/** JSON Schema draft 7, of AsyncAPI 3. */
export const draft07: SchemaDialect = {
  recordsAt: '#/components/schemas/',
  tuple: (items) => ({
    type: 'array',
    items,
    additionalItems: false,
    minItems: items.length,
    maxItems: items.length,
  }),
}

/** The schema of one field. */
export function fieldSchema({ shape, rule }: FieldType, dialect: SchemaDialect): JsonSchema {
  switch (shape.kind) {
    case 'text':
    case 'name':
      return {
        type: 'string',
        ...(shape.min > 0 && { minLength: Math.ceil(shape.min / 4) }),
        maxLength: shape.max,
        description: rule,
      }
    case 'pattern':
      return { type: 'string', pattern: shape.regex.source, description: rule }
    case 'oneOf':
      return { type: 'string', enum: shape.values }
    case 'uint':
      return { type: 'integer', minimum: shape.min, maximum: shape.max }
    case 'bool':
      return { type: 'boolean' }
    case 'bytes':
      return { type: 'string', contentEncoding: 'base64', description: `base64 of ${rule}` }
    case 'map':
      return { type: 'object', additionalProperties: true }
    case 'list':
      return { type: 'array', items: fieldSchema(shape.item, dialect), maxItems: shape.max }
    case 'tuple':
      return dialect.tuple(shape.items.map((item) => fieldSchema(item, dialect)))
    case 'record':
      return { $ref: `${dialect.recordsAt}${shape.record.name}` }
  }
}

/** The schema of an object with these fields. */
export function objectSchemaOf(fields: FieldMap, dialect: SchemaDialect): JsonSchema {
  const entries = Object.entries(fields)
  const required = entries.filter(([, field]) => !field.optional).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field, dialect)])),
    ...(required.length > 0 && { required }),
  }
}

/** The schemas of all records, by name. */
export function recordSchemas(dialect: SchemaDialect): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    Object.values(records).map(({ name, fields }) => [name, objectSchemaOf(fields, dialect)]),
  )
}
