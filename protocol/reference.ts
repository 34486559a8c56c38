/**
 * Reference: the message table as plain data, for programs in other languages (SPEC 1).
 *
 * `docs/protocol.json` is this, written out: programs outside this repository generate their
 * codecs from that file, so its form stays as it is; fields of a message stand in wire order.
 */
import { errors } from './errors.ts'
import { events } from './events.ts'
import { records } from './records.ts'
import { requests } from './requests.ts'
import type { FieldMap } from './schema.ts'

export interface ReferenceField {
  readonly name: string
  readonly type: string
  readonly optional: boolean
}

export interface ReferenceMessage {
  readonly name: string
  readonly code: number
  readonly direction: 'c2s' | 's2c'
  readonly fields: readonly ReferenceField[]
}

export interface Reference {
  /** The protocol's version, as in `tertulia.v1.msgpack`: it changes when old clients break. */
  readonly version: number
  readonly messages: readonly ReferenceMessage[]
  readonly records: Readonly<Record<string, readonly ReferenceField[]>>
  readonly errors: readonly { readonly code: string; readonly meaning: string }[]
}

/** Builds the reference from the tables. */
export function reference(): Reference {
  return {
    version: 1,
    messages: [...messages(requests, 'c2s'), ...messages(events, 's2c')],
    records: Object.fromEntries(
      Object.entries(records).map(([name, record]) => [name, fieldList(record.fields)]),
    ),
    errors: Object.entries(errors).map(([code, { meaning }]) => ({ code, meaning })),
  }
}

function messages(
  table: Readonly<Record<string, { readonly code: number; readonly fields: FieldMap }>>,
  direction: ReferenceMessage['direction'],
): ReferenceMessage[] {
  return Object.entries(table).map(([name, { code, fields }]) => ({
    name,
    code,
    direction,
    fields: fieldList(fields),
  }))
}

function fieldList(fields: FieldMap): ReferenceField[] {
  return Object.entries(fields).map(([name, { type, optional }]) => ({
    name,
    type,
    optional: optional === true,
  }))
}
