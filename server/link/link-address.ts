/**
 * Link address: where an engine listens for its fronts.
 *
 * `unix:/path/to.sock` for fronts on the same machine, `tcp://host:port` for a trusted network,
 * `tls://host:port` for any other.
 */
import { chmodSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, isIP, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { LinkError } from './link-error.ts'

export type LinkAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }

/** As long as the greeting after it has (`handshake.ts`). */
const HANDSHAKE_WITHIN_MS = 5_000

/** Certificate and key of the engine, as PEM texts. */
export interface ListenTls {
  readonly cert: string
  readonly key: string
}

/** What a front accepts as the certificate of its engine. */
export interface ConnectTls {
  /** Certificates of issuers, as a PEM text; by default those of the system. */
  readonly ca?: string | undefined
  /** The name in the certificate; by default the host of the address. */
  readonly serverName?: string | undefined
}

/** @throws LinkError */
function parseLinkAddress(text: string): LinkAddress {
  if (text.startsWith('unix:') && text.length > 5) return { kind: 'unix', path: text.slice(5) }
  const match = /^(tcp|tls):\/\/(\[[0-9a-f:.]+\]|[^:/[\]]+):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new LinkError(
      `a link address is unix:/path, tcp://host:port or tls://host:port; given: ${text}`,
      true,
    )
  }
  const host = (match[2] as string).replace(/^\[|\]$/g, '')
  return { kind: (match[1] as string).toLowerCase() as 'tcp' | 'tls', host, port }
}

/**
 * Listens at the address. Resolves with the server and the address with its real port.
 * @throws LinkError if the address is in use or cannot be used
 */
export async function listenAt(
  text: string,
  tls: ListenTls | undefined,
  onSocket: (socket: Socket) => void,
): Promise<{ readonly server: Server; readonly address: string }> {
  const at = parseLinkAddress(text)
  if (at.kind === 'tls' && !tls) throw new LinkError('a tls:// address needs a certificate and a key', true)
  const server =
    at.kind === 'tls'
      ? createTlsServer({ ...tls, handshakeTimeout: HANDSHAKE_WITHIN_MS })
      : createServer({ noDelay: true })
  server.on(at.kind === 'tls' ? 'secureConnection' : 'connection', onSocket)
  // A peer that fails in its TLS handshake is not a failure of the server.
  if (at.kind === 'tls') server.on('tlsClientError', (_, socket: Socket) => socket.destroy())
  if (at.kind === 'unix') await removeStale(at.path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new LinkError(`cannot listen for fronts at ${text}: ${error.code ?? error.message}`, true)),
    )
    // Only the user of this process may connect, from the first moment on.
    const mask = at.kind === 'unix' ? process.umask(0o177) : null
    server.listen(at.kind === 'unix' ? at.path : { host: at.host, port: at.port }, resolve)
    if (mask !== null) process.umask(mask)
  })
  server.on('error', () => {})
  if (at.kind === 'unix') {
    chmodSync(at.path, 0o600)
    return { server, address: text }
  }
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { server, address: `${at.kind}://${host}:${(server.address() as AddressInfo).port}` }
}

/** Opens a socket to an engine. @throws LinkError if nothing answers there */
export function connectTo(text: string, tls: ConnectTls = {}): Promise<Socket> {
  const at = parseLinkAddress(text)
  return new Promise((resolve, reject) => {
    const ready = () => {
      socket.off('error', failed)
      resolve(socket)
    }
    const failed = (error: NodeJS.ErrnoException) => {
      socket.destroy()
      reject(new LinkError(`cannot reach the engine at ${text}: ${error.code ?? error.message}`))
    }
    const socket =
      at.kind === 'unix'
        ? connect({ path: at.path }, ready)
        : at.kind === 'tcp'
          ? connect({ host: at.host, port: at.port, noDelay: true }, ready)
          : connectTls({ ...at, ca: tls.ca, servername: tls.serverName ?? nameOf(at.host) }, ready)
    socket.once('error', failed)
  })
}

/** An address is not sent as a name (RFC 6066); the certificate is checked for it in any case. */
function nameOf(host: string): string {
  return isIP(host) === 0 ? host : ''
}

/** Removes the socket file of a process that has ended. @throws LinkError if a process answers at it */
async function removeStale(path: string): Promise<void> {
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect({ path }, () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true })
      resolve(false)
    })
  })
  if (answers)
    throw new LinkError(`cannot listen for fronts at unix:${path}: another engine listens there`, true)
}
