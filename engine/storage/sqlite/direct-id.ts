/**
 * Direct ids: the id of the one direct chat of two users. // IDN-4
 *
 * It is derived from the pair, so that both users get the same chat if they open it at the same time. It
 * is keyed, so that nobody else can compute it. Before version 0.2 it was not keyed: a chat from that
 * time retains its id.
 */
import { createHash, createHmac } from 'node:crypto'
import { DIRECT_PREFIX } from '../../stored/stored-group.ts'

/** 162 bits: a whole number of base64url digits. */
const ID_CHARS = 27

/** The id of a new chat. */
export function directId(key: Uint8Array, one: string, other: string): string {
  return idOf(createHmac('sha256', key).update(pairOf(one, other)).digest('base64url'))
}

/** The id that the chat has if it began before ids were keyed. */
export function unkeyedDirectId(one: string, other: string): string {
  return idOf(createHash('sha256').update(pairOf(one, other)).digest('base64url'))
}

function idOf(digest: string): string {
  return `${DIRECT_PREFIX}${digest.slice(0, ID_CHARS)}`
}

/** Equal for both orders of a pair, and different for different pairs. */
function pairOf(one: string, other: string): string {
  return JSON.stringify(one < other ? [one, other] : [other, one])
}
