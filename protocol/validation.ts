/**
 * Validation: the valibot schema of a field type, derived from its shape.
 *
 * The receiver of a request validates it once, where it decodes it (INP-1). Messages say what the
 * field takes, in words that follow its name.
 */
import * as v from 'valibot'
import type { FieldMap, FieldsOf, FieldType } from './schema.ts'
import { hasVisible, isSafeName, lastPathPart } from './text-rules.ts'
import { isWellFormed } from './utf8.ts'

const utf8 = new TextEncoder()

/** The schema of an object with these fields; unknown ones are dropped. */
export function objectSchema<F extends FieldMap>(fields: F): v.GenericSchema<unknown, FieldsOf<F>> {
  const entries: Record<string, v.GenericSchema> = {}
  for (const [name, field] of Object.entries(fields)) {
    const schema = schemaOf(field)
    entries[name] = field.optional ? v.optional(schema) : schema
  }
  return v.object(entries, 'takes a record') as unknown as v.GenericSchema<unknown, FieldsOf<F>>
}

/** Why a field does not take a value, in words that follow its name; undefined where it does. */
export function refusalOf(field: FieldType, value: unknown): string | undefined {
  const result = v.safeParse(schemaOf(field), value, { abortEarly: true })
  return result.success ? undefined : result.issues[0].message
}

/** The schema of one field. */
function schemaOf({ shape, rule }: FieldType): v.GenericSchema {
  const takes = `takes ${rule}`
  switch (shape.kind) {
    case 'text':
      return textSchema(shape.min, shape.max, takes, shape.except)
    case 'name':
      return nameSchema(shape.min, shape.max, takes, shape.path)
    case 'pattern':
      return v.pipe(v.string(takes), v.regex(shape.regex, takes))
    case 'oneOf':
      return v.picklist(shape.values, takes)
    case 'uint':
      return v.pipe(
        v.number(takes),
        v.integer(takes),
        v.minValue(shape.min, takes),
        v.maxValue(shape.max, takes),
      )
    case 'bool':
      return v.boolean(takes)
    case 'map':
      return v.record(v.string(), v.unknown(), takes)
    case 'bytes':
      return v.pipe(
        v.instance(Uint8Array, 'takes bytes (in JSON, base64)'),
        v.check((value) => value.length <= shape.max, takes),
      )
    case 'list':
      return v.pipe(v.array(schemaOf(shape.item), 'takes a list'), v.maxLength(shape.max, takes))
    case 'tuple':
      return v.tuple(shape.items.map(schemaOf), takes)
    case 'record':
      return objectSchema(shape.record.fields)
  }
}

function textSchema(
  min: number,
  max: number,
  takes: string,
  except?: { readonly regex: RegExp; readonly rule: string },
): v.GenericSchema<unknown, string> {
  return v.pipe(
    v.string(takes),
    v.check((value) => {
      // At most three bytes a UTF-16 unit: short strings need no counting.
      if (value.length * 3 <= max) return value.length >= min
      if (value.length > max) return false
      const bytes = utf8.encode(value).length
      return bytes >= min && bytes <= max
    }, takes),
    v.check(isWellFormed, 'takes well-formed Unicode'),
    v.check((value) => !except?.regex.test(value), `takes ${except?.rule}`),
  )
}

/** TXT-1 */
function nameSchema(min: number, max: number, takes: string, path?: true): v.GenericSchema {
  const schema = v.pipe(
    textSchema(min, max, takes),
    v.check(isSafeName, 'takes no control characters and no bidirectional overrides'),
    v.check((value) => min === 0 || hasVisible(value), 'takes one visible character at least'),
  )
  if (!path) return schema
  const lastPart = v.transform((value: unknown) => (typeof value === 'string' ? lastPathPart(value) : value))
  return v.pipe(v.unknown(), lastPart, schema)
}
