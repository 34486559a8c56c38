/**
 * Address: where a request comes from, as text.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'

/**
 * The client's address. Behind a trusted proxy it is the last entry of `X-Forwarded-For`: the one
 * that the proxy itself wrote; those before it are the client's own words.
 */
export function addressOf(res: HttpResponse, req: HttpRequest, trustProxy: boolean): string {
  if (trustProxy) {
    const last = req.getHeader('x-forwarded-for').split(',').at(-1)?.trim()
    if (last) return last.slice(0, 64)
  }
  return Buffer.from(res.getRemoteAddressAsText()).toString('latin1')
}
