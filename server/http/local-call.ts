/**
 * Local call: whether a request was sent by this machine itself.
 *
 * The socket's address and the requested host are loopback (the host check stops a page whose DNS name
 * points here), and no proxy header is present. A proxy on this machine that adds no header cannot be
 * distinguished.
 */
import type { HttpCall } from './router.ts'

const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const

export function isLocal({ address, headers }: HttpCall): boolean {
  const host = headers['host'] ?? ''
  return (
    isLoopback(address) &&
    /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host) &&
    proxyHeaders.every((name) => headers[name] === undefined)
  )
}

function isLoopback(address: string): boolean {
  return /^(127\.\d|(0000:){5}ffff:7f|(0000:){7}0001$|::ffff:127\.|::1$)/i.test(address)
}
