/**
 * Validation: the valibot schema of a field type, derived from its shape.
 *
 * The receiver of a request validates it once, when it decodes the frame (INP-1). Messages state what
 * is allowed, in words that follow the name of the field.
 */
import * as v from 'valibot'
import type { FieldMap, FieldsOf, FieldType } from './schema.ts'
import { hasVisible, isSafeName, lastPathPart } from './text-rules.ts'
import { isWellFormed } from './utf8.ts'

const utf8 = new TextEncoder()

/** The schema of an object with these fields. Unknown fields are dropped. */
export function objectSchema<F extends FieldMap>(fields: F): v.GenericSchema<unknown, FieldsOf<F>> {
  const entries: Record<string, v.GenericSchema> = {}
  for (const [name, field] of Object.entries(fields)) {
    const schema = schemaOf(field)
    entries[name] = field.optional ? v.optional(schema) : schema
  }
  return v.object(entries, 'must be a record') as unknown as v.GenericSchema<unknown, FieldsOf<F>>
}

/** Schemas of the fields that `refusalOf` was asked about: creating one costs more than its use. */
const fieldSchemas = new WeakMap<FieldType, v.GenericSchema>()

/** Why `value` is not valid for the field, in words that follow the field's name; undefined if it is valid. */
export function refusalOf(field: FieldType, value: unknown): string | undefined {
  let schema = fieldSchemas.get(field)
  if (!schema) {
    schema = schemaOf(field)
    fieldSchemas.set(field, schema)
  }
  const result = v.safeParse(schema, value, { abortEarly: true })
  return result.success ? undefined : result.issues[0].message
}

/** The schema of one field. */
function schemaOf({ shape, rule }: FieldType): v.GenericSchema {
  const must = `must be ${rule}`
  switch (shape.kind) {
    case 'text':
      return textSchema(shape.min, shape.max, must, shape.except)
    case 'name':
      return nameSchema(shape.min, shape.max, must, shape.path)
    case 'pattern':
      return v.pipe(v.string(must), v.regex(shape.regex, must))
    case 'oneOf':
      return v.picklist(shape.values, must)
    case 'uint':
      return v.pipe(v.number(must), v.integer(must), v.minValue(shape.min, must), v.maxValue(shape.max, must))
    case 'bool':
      return v.boolean(must)
    case 'map':
      return v.record(v.string(), v.unknown(), must)
    case 'bytes':
      return v.pipe(
        v.instance(Uint8Array, 'must be bytes (in JSON, base64)'),
        v.check((value) => value.length <= shape.max, `must have ${rule}`),
      )
    case 'list':
      return v.pipe(
        v.array(schemaOf(shape.item), 'must be a list'),
        v.maxLength(shape.max, `must have ${rule}`),
      )
    case 'tuple':
      return v.tuple(shape.items.map(schemaOf), must)
    case 'record':
      return objectSchema(shape.record.fields)
  }
}

function textSchema(
  min: number,
  max: number,
  must: string,
  except?: { readonly regex: RegExp; readonly rule: string },
): v.GenericSchema<unknown, string> {
  const schema = v.pipe(
    v.string(must),
    v.check((value) => {
      // A UTF-16 unit has at most three bytes: the bytes of short strings are not counted.
      if (value.length * 3 <= max) return value.length >= min
      if (value.length > max) return false
      const bytes = utf8.encode(value).length
      return bytes >= min && bytes <= max
    }, must),
    v.check(isWellFormed, 'must be well-formed Unicode'),
  )
  return except
    ? v.pipe(
        schema,
        v.check((value) => !except.regex.test(value), `must ${except.rule}`),
      )
    : schema
}

/** TXT-1 */
function nameSchema(min: number, max: number, must: string, path?: true): v.GenericSchema {
  const schema = v.pipe(
    textSchema(min, max, must),
    v.check(isSafeName, 'must not contain control characters or bidirectional overrides'),
    v.check((value) => value === '' || hasVisible(value), 'must contain at least one visible character'),
  )
  if (!path) return schema
  const lastPart = v.transform((value: unknown) => (typeof value === 'string' ? lastPathPart(value) : value))
  return v.pipe(v.unknown(), lastPart, schema)
}
