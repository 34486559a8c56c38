/**
 * Wire table: the tables of requests, events and records in the compact form that the SDK reads
 * (`client/wire-table.ts`), and the limits and close codes that it uses (`client/wire-numbers.ts`). A page
 * downloads what it needs of them: names, codes and a few numbers, not types, rules and texts.
 */
import { closeCodes } from '../../protocol/close-codes.ts'
import { events } from '../../protocol/events.ts'
import { limits } from '../../protocol/limits.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { FieldMap, FieldType } from '../../protocol/schema.ts'

/** The records of the rows so far, by name. */
type Records = Map<string, FieldMap>

/** The source of the module. */
export function wireTable(): string {
  const records: Records = new Map()
  const requestCode = codeCells()
  const requestRows = Object.entries(requests as Readonly<Record<string, RequestSpec>>).map(([name, row]) => {
    const { code, budget = 'events', route, answer, returns } = row
    if (Object.values(row.fields).some((field) => recordOf(field))) {
      throw new Error(`${name}: the SDK sends no records`)
    }
    const kind = route === 'connection' ? '-' : budget === 'events' ? '' : budget
    const result = returns ?? (answer === 'ok' ? '' : '*')
    return rowOf(name, fieldsOf(row.fields, records), kind, result, requestCode(code))
  })
  const eventCode = codeCells()
  const eventRows = Object.entries(events).map(([name, row]) =>
    rowOf(name, fieldsOf(row.fields, records), 'durable' in row ? '1' : '', eventCode(row.code)),
  )
  // A record can contain others, which are added meanwhile.
  const recordRows: string[] = []
  for (const [name, fields] of records) recordRows.push(`${name}:${fieldsOf(fields, records)}`)
  return `/**
 * Made by \`npm run docs\` from the tables in protocol/: edit these, not this file.
 *
 * A request: name, fields, budget (\`events\` if it is empty; \`-\` if only the connection itself sends it), the
 * field that its method returns (nothing if it is empty; \`*\` for the whole answer), code. An event: name, fields,
 * 1 if it is durable, code. A record: name, fields. A field with a record: \`name=Record\`, with a list of them
 * \`name=*Record\`. A code that is one more than the one before is left out, and so are empty cells at the end.
 */
export const requestRows = \`${requestRows.join('\n')}\`

export const eventRows = \`${eventRows.join('\n')}\`

export const recordRows = \`${recordRows.join('\n')}\`
`
}

/** The cells of codes, in the order of the rows: empty for one more than the code before. */
function codeCells(): (code: number) => string {
  let last = 0
  return (code) => {
    const cell = code === last + 1 ? '' : String(code)
    last = code
    return cell
  }
}

function rowOf(...cells: readonly string[]): string {
  return cells.join(':').replace(/:+$/, '')
}

/** The limits that the SDK uses. */
const usedLimits = [
  'connectedGroups',
  'groupsPage',
  'historyPage',
  'largeGroup',
  'membersPage',
  'pinnedMessages',
  'receiptMessages',
  'resumeEvents',
] as const

/** The source of `client/wire-numbers.ts`: one constant for each number, which bundlers write where it is used. */
export function wireNumbers(): string {
  return `/**
 * Made by \`npm run docs\` from protocol/limits.ts and protocol/close-codes.ts: edit these, not this file.
 */
${usedLimits.map((name) => `export const ${name} = ${String(limits[name]).replace(/(?<=\d)(?=(\d{3})+$)/g, '_')}`).join('\n')}

export const unauthenticated = ${closeCodes.unauthenticated.code}
export const tokenExpired = ${closeCodes.token_expired.code}
`
}

function fieldsOf(fields: FieldMap, records: Records): string {
  return Object.entries(fields)
    .map(([name, field]) => {
      const found = recordOf(field)
      if (!found) return name
      records.set(found.name, found.fields)
      return `${name}=${field.shape.kind === 'list' ? '*' : ''}${found.name}`
    })
    .join(' ')
}

/** The record of a field, or of the items of a list. */
function recordOf({ shape }: FieldType): { readonly name: string; readonly fields: FieldMap } | undefined {
  if (shape.kind === 'record') return shape.record
  return shape.kind === 'list' ? recordOf(shape.item) : undefined
}
