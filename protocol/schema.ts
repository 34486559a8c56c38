/**
 * Field types of the message table.
 *
 * Each type has a name for the reference, a shape and, if the wire form of the value differs, the
 * conversions to that form and back. Validation, the reference and the JSON schemas are derived from
 * the shape in other files, so that a client, which only encodes requests and decodes events, loads
 * none of them. Conversions do not validate: a value of the wrong type passes unchanged, and the
 * receiver rejects it (INP-1).
 */
import { isWellFormed } from './utf8.ts'

export interface FieldType<T = unknown> {
  /** The name in the reference and in `docs/protocol.json`: `string`, `Message[]`, `[string, uint][]` … */
  readonly type: string
  /** The allowed values in words, for the reference. */
  readonly rule: string
  readonly shape: Shape
  /** Never set: carries the type of the value for `ValueOf`. */
  readonly value?: T
  /** Set on optional fields: an absent value is nil on the wire, or is omitted at the end. */
  readonly optional?: true
  readonly toWire?: (value: unknown) => unknown
  readonly fromWire?: (wire: unknown) => unknown
}

/** The structure of a type, for everything that is derived from the table: the reference, the tests. */
export type Shape =
  | {
      readonly kind: 'text'
      readonly min: number
      readonly max: number
      /** A text that matches is rejected; `rule` completes the sentence "the field must …". */
      readonly except?: { readonly regex: RegExp; readonly rule: string }
    }
  /** `path`: only the last part of a path is used. */
  | { readonly kind: 'name'; readonly min: number; readonly max: number; readonly path?: true }
  | { readonly kind: 'uint'; readonly min: number; readonly max: number }
  | { readonly kind: 'pattern'; readonly regex: RegExp }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'bool' | 'map' }
  | { readonly kind: 'bytes'; readonly max: number }
  | { readonly kind: 'list'; readonly item: FieldType; readonly max: number }
  | { readonly kind: 'tuple'; readonly items: readonly FieldType[] }
  | { readonly kind: 'record'; readonly record: RecordType }

export interface OptionalField<T = unknown> extends FieldType<T> {
  readonly optional: true
}

export type FieldMap = Readonly<Record<string, FieldType>>

/** The type of a field's value. */
export type ValueOf<F> = F extends FieldType<infer T> ? T : never

type RequiredKeys<F> = { [K in keyof F]: F[K] extends OptionalField ? never : K }[keyof F]
type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalField ? K : never }[keyof F]

/**
 * The object type of a field map: required fields, then optional ones that may be undefined. By `Pick`, so
 * that editors show the comments of the map's fields.
 */
export type FieldsOf<F extends FieldMap> = {
  readonly [K in keyof Pick<F, RequiredKeys<F>>]: ValueOf<F[K]>
} & {
  readonly [K in keyof Pick<F, OptionalKeys<F>>]?: ValueOf<F[K]> | undefined
}

/** A named record: positional in msgpack, an object in JSON. Its conversions are created once. */
export interface RecordType<F extends FieldMap = FieldMap> {
  readonly name: string
  readonly fields: F
  readonly toWire: (value: unknown) => unknown
  readonly fromWire: (wire: unknown) => unknown
}

/** A string of `min` to `max` bytes of UTF-8. */
export function text(min: number, max: number): FieldType<string> {
  const rule = `${min} to ${max} bytes of UTF-8`
  return {
    type: 'string',
    rule,
    shape: { kind: 'text', min, max },
  }
}

/** A text that is shown as a name (TXT-1). It is empty, where it may be, or has a visible character. */
export function nameText(min: number, max: number): FieldType<string> {
  const rule = `${min} to ${max} bytes of UTF-8 without control characters and bidirectional overrides`
  return {
    type: 'string',
    rule,
    shape: { kind: 'name', min, max },
  }
}

/** A file name. Only the last part of a path is used (TXT-1). */
export function fileNameText(max: number): FieldType<string> {
  const base = nameText(1, max)
  return {
    ...base,
    rule: `${base.rule}; only the last part of a path is used`,
    shape: { kind: 'name', min: 1, max, path: true },
  }
}

/** A string that matches `regex`; `rule` describes it in words. */
export function pattern(regex: RegExp, rule: string): FieldType<string> {
  return {
    type: 'string',
    rule,
    shape: { kind: 'pattern', regex },
  }
}

/** One of the given strings. */
export function oneOf<const T extends readonly [string, ...string[]]>(...values: T): FieldType<T[number]> {
  const rule = `one of ${values.join(', ')}`
  return {
    type: values.map((value) => JSON.stringify(value)).join(' | '),
    rule,
    shape: { kind: 'oneOf', values },
  }
}

/** An integer from `min` to `max`. */
export function uint(max: number = Number.MAX_SAFE_INTEGER, min = 0): FieldType<number> {
  const rule = max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer from ${min} to ${max}`
  return {
    type: 'uint',
    rule,
    shape: { kind: 'uint', min, max },
  }
}

export const bool: FieldType<boolean> = {
  type: 'bool',
  rule: 'true or false',
  shape: { kind: 'bool' },
}

/** A map with string keys, for the `result` of `ok`. */
export const map: FieldType<Readonly<Record<string, unknown>>> = {
  type: 'map',
  rule: 'a map with string keys',
  shape: { kind: 'map' },
  toWire: (value) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toWireValue(part)]))
      : value,
}

/** At most `max` bytes: msgpack's `bin`, in JSON a string of base64. */
export function bytes(max: number): FieldType<Uint8Array> {
  const rule = `at most ${max} bytes`
  return {
    type: 'bytes',
    rule,
    shape: { kind: 'bytes', max },
    toWire: fromBase64,
  }
}

/** A list of at most `max` items. */
export function list<T>(item: FieldType<T>, max: number): FieldType<readonly T[]> {
  const { toWire = toWireValue, fromWire } = item
  const rule = `at most ${max} items`
  return {
    rule,
    shape: { kind: 'list', item, max },
    type: item.type.includes(' ') && !item.type.startsWith('[') ? `(${item.type})[]` : `${item.type}[]`,
    toWire: (value: unknown) => (Array.isArray(value) ? value.map(toWire) : value),
    ...(fromWire && { fromWire: (wire: unknown) => (Array.isArray(wire) ? wire.map(fromWire) : wire) }),
  }
}

/** A list with a fixed number of values, an array in both codecs. */
export function tuple<A, B, C>(
  items: readonly [FieldType<A>, FieldType<B>, FieldType<C>],
): FieldType<readonly [A, B, C]>
export function tuple<A, B>(items: readonly [FieldType<A>, FieldType<B>]): FieldType<readonly [A, B]>
export function tuple(items: readonly FieldType[]): FieldType<readonly unknown[]> {
  const type = `[${items.map((item) => item.type).join(', ')}]`
  return {
    type,
    rule: type,
    shape: { kind: 'tuple', items },
    toWire: (value) =>
      Array.isArray(value) ? value.map((part, i) => (items[i]?.toWire ?? toWireValue)(part)) : value,
  }
}

/** Marks a field as optional. */
export function optional<T>(field: FieldType<T>): OptionalField<T> {
  return { ...field, optional: true }
}

/** Defines a record; `ref` creates a field for it. */
export function defineRecord<const F extends FieldMap>(name: string, fields: F): RecordType<F> {
  return {
    name,
    fields,
    toWire: (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? toPositional(fields, value as Record<string, unknown>, [])
        : value,
    fromWire: (wire) => (Array.isArray(wire) ? fromPositional(fields, wire, 0) : wire),
  }
}

/** A field that contains a record: `ref<Message>(Message)`, so that editors and declarations show its name. */
export function ref<T extends FieldsOf<F>, F extends FieldMap = FieldMap>(
  record: RecordType<F>,
): FieldType<T> {
  const { name, toWire, fromWire } = record
  return {
    type: name,
    rule: `the record ${name}`,
    shape: { kind: 'record', record },
    toWire,
    fromWire,
  }
}

/** Appends the fields of `value` in table order to `wire`; trailing absent fields are omitted. */
export function toPositional(
  fields: FieldMap,
  value: Readonly<Record<string, unknown>>,
  wire: unknown[],
): unknown[] {
  let length = wire.length
  for (const name in fields) {
    const field = fields[name] as FieldType
    const part = value[name]
    if (part === undefined || part === null) {
      wire.push(null)
      continue
    }
    const { toWire, shape } = field
    // As the record's `toWire` and as `toWireValue`, without a call for each value.
    if (toWire) {
      const isRecord = shape.kind === 'record' && typeof part === 'object' && !Array.isArray(part)
      wire.push(
        isRecord ? toPositional(shape.record.fields, part as Record<string, unknown>, []) : toWire(part),
      )
    } else if (typeof part === 'string')
      wire.push(part.isWellFormed?.() === false ? part.toWellFormed() : part)
    else
      wire.push(Number.isSafeInteger(part) && (part as number) > 0xffff_ffff ? BigInt(part as number) : part)
    length = wire.length
  }
  wire.length = length
  return wire
}

/** Reads fields in table order from `wire[start]`. Absent and nil become undefined; extra values are ignored. */
export function fromPositional(
  fields: FieldMap,
  wire: readonly unknown[],
  start: number,
): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  let at = start
  for (const name in fields) {
    const field = fields[name] as FieldType
    const part = wire[at++]
    if (part === undefined || part === null) continue
    const { fromWire, shape } = field
    if (!fromWire) value[name] = part
    else if (shape.kind === 'record' && Array.isArray(part))
      value[name] = fromPositional(shape.record.fields, part, 0)
    else value[name] = fromWire(part)
  }
  return value
}

/**
 * The wire form of a value of a type without one of its own. msgpackr writes numbers above 32 bits as
 * floats, but the protocol requires integers (IDN-6): as BigInt they become uint64. Strict decoders fail
 * at a lone surrogate: in events it is replaced. Requests with one are rejected before (IDN-1).
 */
function toWireValue(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed?.() === false ? value.toWellFormed() : value
  return typeof value === 'number' && value > 0xffff_ffff && Number.isSafeInteger(value)
    ? BigInt(value)
    : value
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * Decodes base64, because JSON has no bytes. Other text stays as it is, and the schema rejects it.
 * In Node the native decoder is used: it is 50 times faster, and this runs on the main thread.
 */
function fromBase64(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const native = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer
  try {
    if (!native) return Uint8Array.from(atob(value), (char) => char.charCodeAt(0))
    const digits = value.replace(/[\t\n\f\r ]/g, '')
    const unpadded = digits.length - (digits.endsWith('==') ? 2 : digits.endsWith('=') ? 1 : 0)
    const whole = digits.length === unpadded || digits.length % 4 === 0
    return BASE64.test(digits) && whole && unpadded % 4 !== 1 ? native.from(digits, 'base64') : value
  } catch {
    return value
  }
}

/**
 * The name of the first field with ill-formed Unicode, or undefined. Such text cannot be encoded as
 * UTF-8: a packer would replace it, and two ids could become one (IDN-1).
 */
export function illFormedField(
  fields: FieldMap,
  value: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const name in fields) {
    const part = value[name]
    const isWrong =
      typeof part === 'string'
        ? !(part.isWellFormed?.() ?? isWellFormed(part))
        : Array.isArray(part) && isIllFormed(part, MAX_NESTING)
    if (isWrong) return name
  }
  return undefined
}

/** The deepest fields are lists of tuples. Deeper values are rejected for their type. */
const MAX_NESTING = 3

function isIllFormed(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !isWellFormed(value)
  return depth > 0 && Array.isArray(value) && value.some((part) => isIllFormed(part, depth - 1))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
