/**
 * Claim port: checks the port of the fronts before they start.
 *
 * Processes that share a port can be of different servers, and would then divide its clients. A socket that
 * does not share it finds out whether another process listens on it.
 */
import { type AddressInfo, createServer } from 'node:net'
import { cannotListen } from '../cannot-listen.ts'

/** The port, or a free one for 0. @throws ConfigError if it is in use or the host is no address of this machine */
export async function claimPort(host: string, port: number): Promise<number> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
  } catch {
    throw cannotListen(host, port)
  }
  const { port: found } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return found
}
