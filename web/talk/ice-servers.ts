/**
 * ICE servers: the STUN and TURN servers of the chat server, requested for each call, because what a server
 * sends may change while a page is open.
 */
import type { Server } from '../shell.ts'

/** A call does not wait longer for them. */
const TIMEOUT_MS = 5_000

/** The servers; rejects if they cannot be read. */
export async function loadIceServers({ url, token }: Server): Promise<readonly RTCIceServer[]> {
  const bearer = typeof token === 'string' ? token : await token()
  const answer = await fetch(new URL('api/chat/ice-servers', url), {
    headers: { authorization: `Bearer ${bearer}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  return ((await answer.json()) as { readonly iceServers: readonly RTCIceServer[] }).iceServers
}
