/**
 * Transcripts: conversations of Socket.IO clients with the server, frame by frame.
 *
 * A step is something that a client does, or the next frame that it receives, with every field. `replay`
 * executes the steps in order over plain sockets, and fails at the first frame that differs. No frame may
 * be empty or unknown: the Dart client fails at one.
 */
import { expect } from 'vitest'
import { tokenOf } from '../operation/server.ts'
import { RawClient } from './clients.ts'

export type Step =
  /** Opens a WebSocket with this query; `bearer` if the client passes its token in a header. */
  | readonly [client: string, does: 'opens', query: string, header?: 'bearer']
  /** `$token` is replaced by a token of the client. */
  | readonly [client: string, does: 'sends', packet: string | Uint8Array]
  /** The text before the JSON, and the value of the JSON. */
  | readonly [client: string, does: 'receives', head: string, value?: unknown]

/** The types that a client of the main namespace knows, with an acknowledgement id. */
const HEAD = /^(?:[1236]|0|4(?:[0-46](?:\/[^,]*,)?\d*))(?=$|[[{])/

/** Executes the steps, and returns the clients. */
export async function replay(
  server: { readonly port: number },
  steps: readonly Step[],
): Promise<ReadonlyMap<string, RawClient>> {
  const clients = new Map<string, RawClient>()
  for (const [at, step] of steps.entries()) {
    const [name] = step
    const token = await tokenOf(name)
    if (step[1] === 'opens') {
      const headers: Record<string, string> = step[3] ? { authorization: `Bearer ${token}` } : {}
      clients.set(name, new RawClient(server, step[2].replace('$token', token), headers))
      continue
    }
    const client = clients.get(name) as RawClient
    if (step[1] === 'sends') {
      const [, , packet] = step
      client.send(typeof packet === 'string' ? packet.replace('$token', token) : packet)
      continue
    }
    const text = String(await client.next())
    const head = HEAD.exec(text)?.[0]
    const value = head === undefined || head === text ? undefined : JSON.parse(text.slice(head.length))
    expect([head, value], `step ${at}, ${name}: ${text}`).toEqual([step[2], step[3]])
  }
  return clients
}

/** A value that the server generates: any text of this form, and the same one wherever it is expected. */
export function generated(form: RegExp): unknown {
  let first: unknown
  return {
    asymmetricMatch(given: unknown): boolean {
      if (typeof given !== 'string' || !form.test(given)) return false
      first ??= given
      return given === first
    },
  }
}

/** An ISO time, as clients receive times. */
export const isoTime: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
export const someText: unknown = expect.stringMatching(/./)
export const someNumber: unknown = expect.any(Number)
