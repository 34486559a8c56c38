/**
 * A complete server on a free port for the tests of operation, with clients that are closed after the
 * test.
 */
import { onTestFinished } from 'vitest'
import { resolveSettings } from '../../../server/config.ts'
import { createServer, type Server, type ServerOptions } from '../../../server/server.ts'
import { makeToken } from '../../../server/token.ts'
import { loadBuiltServer, temporaryFolder } from '../../support/engines.ts'
import { type ClientOptions, SocketClient } from '../../support/socket-client.ts'

export const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }

/** Starts a server with inline shards; closed after the test. */
export function startServer(options: ServerOptions = {}): Promise<Server> {
  return start(createServer, options)
}

/** The same as it is built: shard threads are started from built files. */
export async function startBuilt(options: ServerOptions = {}): Promise<Server> {
  const built = await loadBuiltServer()
  return start(built.createServer as unknown as typeof createServer, options)
}

async function start(create: typeof createServer, options: ServerOptions): Promise<Server> {
  const server = await create({
    port: 0,
    host: '127.0.0.1',
    dataDir: options.dataDir ?? temporaryFolder(),
    shards: 'inline',
    rateLimit: 0,
    jwtSecret,
    logger: quiet,
    ...options,
  })
  onTestFinished(() => server.close())
  return server
}

/** A token that the servers of `startServer` accept. */
export function tokenOf(userId: string, ttlSeconds = 600): Promise<string> {
  return makeToken(resolveSettings({ jwtSecret }), { userId, ttlSeconds })
}

/** A client that has received `connected`; terminated after the test. */
export async function connect(
  server: Server,
  userId: string,
  options: ClientOptions = {},
): Promise<SocketClient> {
  const client = new SocketClient(server.port, { token: await tokenOf(userId), ...options })
  onTestFinished(() => client.ws.terminate())
  await client.next('connected')
  return client
}
