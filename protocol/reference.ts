/**
 * Reference: the message table as plain data, for programs in other languages (TRN-8).
 *
 * `docs/protocol.json` contains its output. Programs outside this repository generate their codecs
 * from that file, so existing keys do not change and new keys are added. The fields of a message
 * are in wire order.
 */
import { closeCodes } from './close-codes.ts'
import { errors } from './errors.ts'
import { type EventSpec, events } from './events.ts'
import { limits } from './limits.ts'
import { records } from './records.ts'
import { type RequestSpec, requests } from './requests.ts'
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
  /** Of a request: the event that answers it if it succeeds. */
  readonly answer?: string
  /** Of a request: the budget that it is charged to. */
  readonly budget?: string
  /** Of a request: the tokens of the budget that it costs (INP-2). */
  readonly cost?: number
  /** Of a request: each of so many bytes of its frame costs one token more. */
  readonly bytesPerToken?: number
  /** Of a request: it writes an event of its group, or other state. Of an event: it has a seq. */
  readonly durable?: 'event' | 'state' | true
  /** Of an event: it is never stored, and slow readers do not receive it. */
  readonly ephemeral?: true
}

export interface Reference {
  /** The protocol's version, as in `tertulia.v1.msgpack`: it changes when old clients break. */
  readonly version: number
  readonly messages: readonly ReferenceMessage[]
  readonly records: Readonly<Record<string, readonly ReferenceField[]>>
  /** `retry`: the same request may succeed later. `status`: the HTTP status. */
  readonly errors: readonly {
    readonly code: string
    readonly meaning: string
    readonly retry: boolean
    readonly status: number
  }[]
  /** `reconnect`: whether a client reconnects automatically. */
  readonly closeCodes: readonly {
    readonly code: number
    readonly name: string
    readonly meaning: string
    readonly advice: string
    readonly reconnect: boolean
  }[]
  /** The limits of the wire contract; each name contains the unit. */
  readonly limits: Readonly<Record<string, number>>
}

/** Builds the reference from the tables. */
export function reference(): Reference {
  return {
    version: 1,
    messages: [...requestList(requests), ...eventList(events)],
    records: Object.fromEntries(
      Object.entries(records).map(([name, record]) => [name, fieldList(record.fields)]),
    ),
    errors: Object.entries(errors).map(([code, { meaning, retry, status }]) => ({
      code,
      meaning,
      retry,
      status,
    })),
    closeCodes: Object.entries(closeCodes).map(([name, { code, meaning, advice, reconnect }]) => ({
      code,
      name,
      meaning,
      advice,
      reconnect,
    })),
    limits,
  }
}

function requestList(table: Readonly<Record<string, RequestSpec>>): ReferenceMessage[] {
  return Object.entries(table).map(([name, row]) => {
    const { code, fields, answer, budget = 'events', cost = 1, bytesPerToken, durable } = row
    return {
      name,
      code,
      direction: 'c2s',
      fields: fieldList(fields),
      answer,
      budget,
      cost,
      ...(bytesPerToken && { bytesPerToken }),
      ...(durable && { durable }),
    }
  })
}

function eventList(table: Readonly<Record<string, EventSpec>>): ReferenceMessage[] {
  return Object.entries(table).map(([name, { code, fields, durable, ephemeral }]) => ({
    name,
    code,
    direction: 's2c',
    fields: fieldList(fields),
    ...(durable && { durable }),
    ...(ephemeral && { ephemeral }),
  }))
}

function fieldList(fields: FieldMap): ReferenceField[] {
  return Object.entries(fields).map(([name, { type, optional }]) => ({
    name,
    type,
    optional: optional === true,
  }))
}
