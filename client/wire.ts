/**
 * Wire: the compact tables of requests and events, as the SDK uses them (TRN-4).
 */
import type { Event, EventName } from '../protocol/events.ts'
import type { RequestName } from '../protocol/requests.ts'
import type { MethodRow } from '../protocol/row-methods.ts'
import type { GroupEvent } from './group-event.ts'
import { eventRows, recordRows, requestRows } from './wire-table.ts'

/** A field of an event or record; `record` are the fields of the record, or of the records, in it. */
interface Field {
  readonly name: string
  readonly record?: readonly Field[] | undefined
  readonly isList: boolean
}

interface RequestRow extends MethodRow {
  readonly code: number
  /** `-` for the requests that the connection itself sends. */
  readonly budget: string
  readonly fields: readonly string[]
}

interface EventRow {
  readonly name: EventName
  readonly fields: readonly Field[]
}

const cells = (rows: string) => rows.split('\n').map((row) => row.split(':'))
const fieldLists = new Map(cells(recordRows).map(([name, fields]) => [name, fields ?? '']))
const records = new Map<string, readonly Field[]>()

/** The cells of each row behind its code: that in the cell at `place`, or one more than that of the row before. */
function* numbered(rows: string, place: number) {
  let code = 0
  for (const row of cells(rows)) {
    code = Number(row[place] ?? code + 1)
    yield [code, ...row] as const
  }
}

export const requestTable = new Map<RequestName, RequestRow>()
for (const [code, name, fields = '', budget, returns] of numbered(requestRows, 4)) {
  requestTable.set(name as RequestName, {
    code,
    budget: budget || 'events',
    ...(returns ? { answer: '', returns: returns === '*' ? '' : returns } : { answer: 'ok' }),
    fields: fields.split(' '),
  })
}

const eventTable = new Map<unknown, EventRow>()
const durable = new Set<string>()
for (const [code, name = '', fields, isDurable] of numbered(eventRows, 3)) {
  eventTable.set(code, { name: name as EventName, fields: readFields(fields) })
  if (isDurable) durable.add(name)
}

export const eventNames: readonly EventName[] = [...eventTable.values()].map(({ name }) => name)

/** Whether an event is part of its group's log. */
export function isLogged(event: Event): event is GroupEvent {
  return durable.has(event.event)
}

/** The name and fields of an event, from its frame; null if this version does not know it. */
export function readEvent(wire: readonly unknown[]) {
  const row = eventTable.get(wire[0])
  return row ? { event: row.name, ref: wire[1], fields: read(row.fields, wire, 2) } : null
}

function read(fields: readonly Field[], wire: readonly unknown[], start: number): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  let at = start
  for (const { name, record, isList } of fields) {
    const part = wire[at++]
    if (part === undefined || part === null) continue
    const one = (item: unknown) => (record && Array.isArray(item) ? read(record, item, 0) : item)
    value[name] = isList && Array.isArray(part) ? part.map(one) : one(part)
  }
  return value
}

function readFields(text = ''): readonly Field[] {
  if (text === '') return []
  return text.split(' ').map((field) => {
    const [name = '', type = ''] = field.split('=')
    const isList = type.startsWith('*')
    return { name, isList, record: type ? recordOf(type.slice(isList ? 1 : 0)) : undefined }
  })
}

function recordOf(name: string): readonly Field[] {
  let fields = records.get(name)
  if (!fields) {
    fields = readFields(fieldLists.get(name))
    records.set(name, fields)
  }
  return fields
}
