/**
 * Address: the address of an HTTP client, as text.
 */
import type { Request } from '../transport/transport.ts'

/**
 * The client's address. Behind a trusted proxy it is the last entry of the last `X-Forwarded-For` line
 * (AUT-3): the proxy wrote that entry; the client can forge the earlier ones.
 */
export function addressOf(request: Request, trustProxy: boolean): string {
  if (trustProxy) {
    const last = request.list('x-forwarded-for').split(',').at(-1)?.trim()
    if (last) return last.slice(0, 64)
  }
  return request.address
}
