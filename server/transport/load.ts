/**
 * Load: selects the transport, with the reason.
 *
 * `auto` selects uWebSockets.js if it is installed and its binary loads on this system and this version of
 * Node, else the built-in transport. The selection is made once, when a server starts.
 */
import { nodeTransport } from './node/transport.ts'
import type { Transport, TransportName } from './transport.ts'
import { type Uws, uwsTransport } from './uws/transport.ts'

export interface LoadedTransport {
  readonly transport: Transport
  /** One sentence for the log, `tertulia --version` and `/api/stats`. */
  readonly why: string
}

/** @throws Error if `uws` is requested and does not load */
export async function loadTransport(wanted: 'auto' | TransportName): Promise<LoadedTransport> {
  if (wanted === 'node') return { transport: nodeTransport, why: 'TRANSPORT is node' }
  const found = await loadUws()
  if (typeof found !== 'string') {
    const why = wanted === 'uws' ? 'TRANSPORT is uws' : 'uWebSockets.js loads here'
    return { transport: uwsTransport(found), why }
  }
  if (wanted === 'uws') throw new Error(found)
  return { transport: nodeTransport, why: found }
}

/** The library, or the reason why it does not load. */
async function loadUws(): Promise<Uws | string> {
  // The library reads its limit for request headers, 4 KB by default, when it is loaded.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '24576'
  try {
    const { default: uws } = await import('uWebSockets.js')
    return uws as unknown as Uws
  } catch (error) {
    return `uWebSockets.js does not load: ${reasonOf(error as NodeJS.ErrnoException)}`
  }
}

/** The relevant line of the error message. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_MODULE_NOT_FOUND') return 'it is not installed'
  const glibc = /version `(GLIBC_[\d.]+)' not found/.exec(message)?.[1]
  if (glibc) return `its binary for Node ${process.version} needs ${glibc}`
  const file = `${process.platform} ${process.arch}, Node ${process.version}`
  if (/Cannot find module|no such file/i.test(message)) return `it has no binary for ${file}`
  return `${message.split('\n').at(-1)?.trim() ?? ''} (${file})`
}
