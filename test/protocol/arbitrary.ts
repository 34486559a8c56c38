/**
 * Generators for everything the message table allows, derived from the shapes of its fields, so
 * that a new row is tested without a line here. Runs are seeded: a failure repeats itself, and
 * `FC_SEED=n` tries others.
 */
import fc from 'fast-check'
import type { Event, EventName } from '../../protocol/events.ts'
import { events } from '../../protocol/events.ts'
import type { Request, RequestName } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { FieldMap, FieldType } from '../../protocol/schema.ts'
import { isSafeName } from '../../protocol/text-rules.ts'

export const requestNames = Object.keys(requests) as RequestName[]
export const eventNames = Object.keys(events) as EventName[]

/** A `ref` as clients pick them: small ones, and the edges of each msgpack integer size. */
const arbitraryRef = fc.oneof(
  fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)

/** Any valid request of this name. */
export function arbitraryRequest<N extends RequestName>(name: N): fc.Arbitrary<Request<N>> {
  return fc.record(
    { event: fc.constant(name), ref: arbitraryRef, fields: arbitraryFields(requests[name].fields) },
    { noNullPrototype: true },
  ) as fc.Arbitrary<unknown> as fc.Arbitrary<Request<N>>
}

/** Any valid event of this name. */
export function arbitraryEvent<N extends EventName>(name: N): fc.Arbitrary<Event<N>> {
  return fc.record(
    { event: fc.constant(name), ref: arbitraryRef, fields: arbitraryFields(events[name].fields) },
    { noNullPrototype: true },
  ) as fc.Arbitrary<unknown> as fc.Arbitrary<Event<N>>
}

/** Any valid object with these fields; optional ones are left off now and then. */
function arbitraryFields(fields: FieldMap): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  const requiredKeys: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    model[name] = arbitraryValue(field)
    if (!field.optional) requiredKeys.push(name)
  }
  return fc.record(model, { requiredKeys, noNullPrototype: true })
}

/** Any valid value of a field. */
function arbitraryValue({ shape }: FieldType): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'text': {
      // Four bytes a code point at the most, and the two ends of what is allowed.
      const short = fc.string({
        unit: 'binary',
        minLength: shape.min,
        maxLength: Math.min(24, shape.max >> 2),
      })
      const ends = fc.constantFrom('a'.repeat(shape.min), 'a'.repeat(shape.max))
      return fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: ends })
    }
    case 'name': {
      const ends = fc.constantFrom('a'.repeat(Math.max(1, shape.min)), 'a'.repeat(shape.max))
      const inner = fc.string({ unit: 'grapheme', maxLength: 12 }).map((part) => `a${part}`)
      // A file name loses its path.
      const safe = inner.filter((part) => isSafeName(part) && !/[/\\]/.test(part))
      return fc.oneof({ weight: 9, arbitrary: safe }, { weight: 1, arbitrary: ends })
    }
    case 'pattern':
      return fc.stringMatching(shape.regex)
    case 'oneOf':
      return fc.constantFrom(...shape.values)
    case 'uint':
      return fc.oneof(
        fc.integer({ min: shape.min, max: shape.max }),
        fc.constantFrom(shape.min, shape.max, Math.min(0xffff_ffff, shape.max), Math.min(2 ** 32, shape.max)),
      )
    case 'bool':
      return fc.boolean()
    case 'bytes':
      return fc.uint8Array({ maxLength: 24 }).map((part) => Buffer.from(part))
    case 'map':
      return fc.dictionary(
        fc.stringMatching(/^[a-z][a-zA-Z]{0,11}$/),
        fc.oneof(fc.string(), fc.maxSafeNat(), fc.boolean()),
        { noNullPrototype: true, maxKeys: 4 },
      )
    case 'list':
      return fc.array(arbitraryValue(shape.item), { maxLength: Math.min(4, shape.max) })
    case 'tuple':
      return fc.tuple(...shape.items.map(arbitraryValue))
    case 'record':
      return arbitraryFields(shape.record.fields)
  }
}

/** Checks a property with the seed of this run. */
export function holds<T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, numRuns = 100): void {
  fc.assert(property, { seed: Number(process.env['FC_SEED'] ?? 1), numRuns })
}
