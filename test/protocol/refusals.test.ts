import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import type { RequestName } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { FieldMap, FieldType } from '../../protocol/schema.ts'
import { requestNames } from './arbitrary.ts'
import { refusalOf, refusalOfJson } from './refusal.ts'

const plain = new Packr({ useRecords: false })

/** A value that a field accepts. */
function goodValue({ shape }: FieldType): unknown {
  switch (shape.kind) {
    case 'text':
    case 'name':
      return 'a'.repeat(Math.max(1, shape.min))
    case 'pattern':
      return ['g', 'g:1', 'g:f0123456789abcdef', 'a'.repeat(64)].find((id) => shape.regex.test(id))
    case 'oneOf':
      return shape.values[0]
    case 'uint':
      return shape.min
    case 'bool':
      return true
    case 'bytes':
      return Buffer.from('a')
    case 'map':
      return {}
    case 'list':
      return [goodValue(shape.item)]
    case 'tuple':
      return shape.items.map(goodValue)
    case 'record':
      return goodFields(shape.record.fields)
  }
}

/** All fields, the optional ones too. */
function goodFields(fields: FieldMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, goodValue(field)]))
}

type Case = readonly [what: string, value: unknown]

const prefixed = (what: string, cases: readonly Case[]): Case[] =>
  cases.map(([of, bad]) => [`${what} ${of}`, bad])

// TXT-1
const unsafeNames = [
  'a\u0000b',
  'a\nb',
  'a\u007f',
  'a\u0085b',
  'a\u202eb',
  'a\u202db',
  'a\u2066b',
  'a\u2028b',
]
const invisible = ['   ', '\u200b', '\u2800', '\u3164', '\u00ad', '\u{e0041}', '\u00a0\ufe0f']

/** Values that a field must reject, with a name for each. */
function badValues(field: FieldType): Case[] {
  const { shape } = field
  const notText: Case[] = [
    ['a number', 5],
    ['true', true],
    ['a list', ['a']],
    ['a map', { a: 'a' }],
    ['bytes', Buffer.from('a')],
  ]
  const notList: Case[] = [
    ['a string', 'a'],
    ['a number', 5],
    ['a map', { 0: 'a' }],
  ]
  switch (shape.kind) {
    case 'text':
      return [
        ...notText,
        ...(shape.min > 0 ? [['the empty string', ''] as const] : []),
        ['one byte too many', 'a'.repeat(shape.max + 1)],
        ['one byte too many in fewer characters', 'é'.repeat(Math.floor(shape.max / 2) + 1)],
        ['one byte too many in far fewer characters', '😀'.repeat(Math.floor(shape.max / 4) + 1)],
      ]
    case 'name':
      return [
        ...badValues({ ...field, shape: { ...shape, kind: 'text' } }),
        ...unsafeNames.map((bad): Case => [JSON.stringify(bad), bad]),
        ...(shape.min > 0
          ? invisible.map((bad): Case => [`nothing to be seen: ${JSON.stringify(bad)}`, bad])
          : []),
      ]
    case 'pattern':
      return [
        ...notText,
        ...['', ' ', '/', 'g:x', 'é', '../g', 'g\n', 'g'.repeat(65), '\u0000'].map(
          (bad): Case => [JSON.stringify(bad), bad],
        ),
      ]
    case 'oneOf':
      return [
        ...notText,
        ['another word', 'nonsense'],
        ['the empty string', ''],
        ['a name of every object', 'constructor'],
      ]
    case 'uint':
      return [
        ['a string', '5'],
        ['a list', [5]],
        ['true', true],
        ['a negative number', -1],
        ['a fraction', shape.min + 0.5],
        ['a number above the largest', shape.max + 1],
        ['a number that is not safe', 2 ** 60],
        ...(shape.min > 0 ? [['a number below the smallest', shape.min - 1] as const] : []),
      ]
    case 'list':
      return [
        ...notList,
        ['one item too many', new Array(shape.max + 1).fill(goodValue(shape.item))],
        ['an item that is nil', [null]],
        ...prefixed(
          'an item that is',
          badValues(shape.item).map(([what, bad]): Case => [what, [bad]]),
        ),
      ]
    case 'tuple':
      return [
        ...notList,
        ['nothing', []],
        ...shape.items.flatMap((item, at) =>
          prefixed(
            `a part ${at} that is`,
            badValues(item).map(
              ([what, bad]): Case => [what, shape.items.map((of, i) => (i === at ? bad : goodValue(of)))],
            ),
          ),
        ),
      ]
    case 'bytes':
      return [
        ['a string that is no base64', '%'],
        ['a number', 5],
        ['a list', [97]],
        ['a map', { 0: 97 }],
        ['one byte too many', Buffer.alloc(shape.max + 1)],
      ]
    case 'bool':
    case 'map':
      return [
        ['a string', 'a'],
        ['a number', 5],
        ['a list', []],
      ]
    case 'record':
      return notList
  }
}

function msgpack(name: RequestName, values: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = Object.keys(requests[name].fields)
  return plain.pack([requests[name].code, 1, ...fields.map((field) => values[field] ?? null)])
}

function json(name: RequestName, values: Readonly<Record<string, unknown>>): string {
  const fields: FieldMap = requests[name].fields
  const data = Object.entries(values).map(([field, value]) => [
    field,
    fields[field]?.shape.kind === 'bytes' && Buffer.isBuffer(value) ? value.toString('base64') : value,
  ])
  return JSON.stringify({ event: name, ref: 1, data: Object.fromEntries(data) })
}

describe.each(requestNames)('%s', (name) => {
  const fields: FieldMap = requests[name].fields
  const good = goodFields(fields)

  it('accepts a value of every field', () => {
    expect(refusalOf(msgpack(name, good))).toBeNull()
    expect(refusalOfJson(json(name, good))).toBeNull()
  })

  describe.each(Object.entries(fields))('its %s', (fieldName, field) => {
    const refusal = { code: 'bad_request', field: fieldName }

    it(field.optional ? 'may be absent' : 'may not be absent', () => {
      const { [fieldName]: _, ...others } = good
      if (field.optional) {
        expect(refusalOf(msgpack(name, others))).toBeNull()
        expect(refusalOfJson(json(name, others))).toBeNull()
        return
      }
      const missing = { ...refusal, message: `${fieldName} is missing` }
      expect(refusalOf(msgpack(name, others))).toMatchObject(missing)
      expect(refusalOfJson(json(name, others))).toMatchObject(missing)
      expect(refusalOfJson(json(name, { ...others, [fieldName]: null }))).toMatchObject(missing)
    })

    it.each(badValues(field))('may not be %s', (_, bad) => {
      const values = { ...good, [fieldName]: bad }
      expect(refusalOf(msgpack(name, values))).toMatchObject(refusal)
      // JSON has no bytes: it shows a Buffer as a map, which is refused just the same.
      expect(refusalOfJson(json(name, values))).toMatchObject(refusal)
    })

    it('states in words what is allowed', () => {
      const [, bad] = badValues(field)[0] as Case
      const message = refusalOf(msgpack(name, { ...good, [fieldName]: bad }))?.message
      expect(message).toContain(`${fieldName} must `)
      expect(message?.length).toBeLessThan(140)
    })
  })
})

describe('of several bad fields', () => {
  it('the error names the first in the order of the table', () => {
    expect(refusalOf(msgpack('send_message', { groupId: '!', content: 5 }))).toMatchObject({
      field: 'groupId',
    })
    expect(refusalOf(msgpack('send_message', { groupId: 'g', content: 5 }))).toMatchObject({
      field: 'content',
    })
    expect(refusalOf(msgpack('send_message', { groupId: 'g', content: '' }))).toMatchObject({
      field: 'tempId',
    })
  })
})
