import { describe, expect, it } from 'vitest'
import { events } from '../../protocol/events.ts'
import { fileId, groupId, messageId } from '../../protocol/ids.ts'
import { records } from '../../protocol/records.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { FieldMap } from '../../protocol/schema.ts'
import { eventNames, requestNames } from './arbitrary.ts'

const every = <T extends object>(table: T) => Object.entries(table) as [string, T[keyof T]][]

/** TRN-7: one byte for the frequent ones of this direction, two for the others of both. */
function isCode(code: number, min: number, max: number): boolean {
  return Number.isInteger(code) && ((code >= min && code <= max) || (code >= 128 && code <= 255))
}

describe('the table of requests', () => {
  it('has codes of 1 to 63, or 128 to 255', () => {
    for (const name of requestNames) expect([name, isCode(requests[name].code, 1, 63)]).toEqual([name, true])
  })

  it('gives every row of a group the id to route by as its first field', () => {
    for (const [name, row] of every<Record<string, RequestSpec>>(requests)) {
      if (row.route !== 'group') continue
      const [first] = Object.values(row.fields)
      const id = first?.shape.kind === 'list' ? first.shape.item : first
      expect([name, id === groupId || id === messageId || id === fileId]).toEqual([name, true])
    }
  })

  it('names an answer that exists, and a field of it to return', () => {
    for (const [name, row] of every<Record<string, RequestSpec>>(requests)) {
      expect(eventNames, name).toContain(row.answer)
      if (row.returns) expect(Object.keys(events[row.answer].fields), name).toContain(row.returns)
    }
  })
})

describe('the table of events', () => {
  it('has codes of 64 to 127, or 128 to 255', () => {
    for (const name of eventNames) expect([name, isCode(events[name].code, 64, 127)]).toEqual([name, true])
  })

  it('gives every durable event its group and its seq', () => {
    for (const name of eventNames) {
      const row: { readonly durable?: true; readonly fields: FieldMap } = events[name]
      if (!row.durable || name === 'new_message') continue
      expect(Object.keys(row.fields), name).toEqual(expect.arrayContaining(['groupId', 'seq']))
    }
  })
})

describe('all tables', () => {
  it('use each code once', () => {
    const codes = [
      ...requestNames.map((name) => requests[name].code),
      ...eventNames.map((name) => events[name].code),
    ]
    expect(new Set(codes).size).toBe(codes.length)
  })

  const tables: readonly (readonly [string, FieldMap])[] = [
    ...requestNames.map((name) => [name, requests[name].fields] as const),
    ...eventNames.map((name) => [name, events[name].fields] as const),
    ...Object.values(records).map((record) => [record.name, record.fields] as const),
  ]

  it('give for each field its type and its rule', () => {
    for (const [table, fields] of tables) {
      for (const [name, field] of Object.entries(fields)) {
        expect(field.type, `${table}.${name}`).not.toBe('')
        expect(field.rule, `${table}.${name}`).not.toBe('')
      }
    }
  })

  it('know records by the name they are listed under', () => {
    for (const [name, record] of Object.entries(records)) expect(record.name).toBe(name)
  })
})
