/**
 * Request methods, derived from the table: `send_message` is `sendMessage(fields)`.
 * `Session` (in the process) and `ChatClient` (over a socket) share them, so both have the same
 * methods.
 */
import type { EventFields, EventName } from './events.ts'
import { type RequestFields, type RequestName, type RequestsTo, requests } from './requests.ts'
import { rowMethods } from './row-methods.ts'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S

/** The requests that a program calls by name. The owner of a connection makes the requests of that connection. */
export type MethodRequest = RequestsTo<'group' | 'user'>

/** The fields of the event that answers a request. */
export type Answer<N extends RequestName> = EventFields<(typeof requests)[N]['answer'] & EventName>

/** What a method returns: the row's `returns` field, nothing for `ok`, or the whole answer. */
export type Result<N extends RequestName> = (typeof requests)[N] extends { readonly returns: infer R }
  ? R extends keyof Answer<N>
    ? Answer<N>[R]
    : never
  : (typeof requests)[N]['answer'] extends 'ok'
    ? // biome-ignore lint/suspicious/noConfusingVoidType: the type that its promise resolves with
      void
    : Answer<N>

/** One method per request, with its camel-case name. Each rejects with a `ChatError` if the request fails. */
export type RequestMethods = {
  [N in MethodRequest as Camel<N>]: (fields: RequestFields<N>) => Promise<Result<N>>
}

/** Sends one request and resolves with the fields of its answer. */
export type SendRequest = <N extends MethodRequest>(name: N, fields: RequestFields<N>) => Promise<Answer<N>>

/** Creates the methods on top of `send`. */
export function requestMethods(send: SendRequest): RequestMethods {
  const rows = Object.entries(requests).filter(([, { route }]) => route !== 'connection')
  return rowMethods(rows, send) as unknown as RequestMethods
}
