/**
 * Web server: a real server with its pages, in a process of its own.
 *
 * Its port is below the range from which the system gives ports to outgoing connections: one of these
 * could have the port while the server is down.
 */
import { randomInt } from 'node:crypto'
import { temporaryFolder } from '../../support/engines.ts'
import { ServerProcess } from '../../support/server-process.ts'

const FIRST_PORT = 18_000
const PORTS = 14_000
const START_ATTEMPTS = 10

export interface WebServer {
  readonly port: number
  readonly url: string
  /** `kill -9`, then a start on the same port and folder. */
  restart(): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
  /** Starts it again on the same port and folder. */
  start(): Promise<void>
}

/** Starts a server; it is killed after the test. */
export async function aWebServer(env: Readonly<Record<string, string>> = {}): Promise<WebServer> {
  const folder = temporaryFolder()
  const startAt = (port: number) => ServerProcess.start(folder, { ...env, PORT: String(port) })
  let process = await startAnywhere(startAt)
  const { port } = process
  const start = async () => {
    process = await startAt(port)
  }
  const kill = () => process.kill()
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    kill,
    start,
    restart: async () => {
      await kill()
      await start()
    },
  }
}

async function startAnywhere(startAt: (port: number) => Promise<ServerProcess>): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startAt(FIRST_PORT + randomInt(PORTS))
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error
    }
  }
}
