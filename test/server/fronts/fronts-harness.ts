/**
 * Two fronts on ports of their own before one engine, in the process of the test, linked by a Unix socket.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createEngine } from '../../../engine/engine.ts'
import { Fleet } from '../../../server/fronts/fleet.ts'
import { type ServeFrontsOptions, serveFronts } from '../../../server/fronts/serve-fronts.ts'
import { connectEngine } from '../../../server/link/linked-engine.ts'
import { type Server, type ServerOptions, startServer } from '../../../server/server.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { jwtSecret } from '../operation/server.ts'

const quiet = { info() {}, warn() {}, error() {} }

export async function startFronts(
  limits: Partial<ServeFrontsOptions> = {},
  ofFronts: ServerOptions = {},
): Promise<readonly [Server, Server]> {
  const dataDir = temporaryFolder()
  const link = {
    address: `unix:${join(dataDir, 'link.sock')}`,
    key: randomBytes(32).toString('hex'),
    logger: quiet,
  }
  const engine = await createEngine({ dataDir, shards: 'inline', logger: quiet })
  onTestFinished(() => engine.close())
  const listener = await serveFronts(engine, { rateLimit: 0, ...limits, ...link })
  onTestFinished(() => listener.close())
  const front = async (number: number): Promise<Server> => {
    const linked = await connectEngine(link)
    onTestFinished(() => linked.close())
    const options = { port: 0, host: '127.0.0.1', rateLimit: 0, jwtSecret, logger: quiet, ...ofFronts }
    const server = await startServer(
      { ...options, engine: linked },
      new Fleet(linked, { number, id: number, folder: dataDir }),
    )
    onTestFinished(() => server.close())
    return server
  }
  return [await front(1), await front(2)]
}
