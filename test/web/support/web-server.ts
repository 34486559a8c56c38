/**
 * Web server: a real server with its pages, in a process of its own on a free port.
 */
import { temporaryFolder } from '../../support/engines.ts'
import { ServerProcess } from '../../support/server-process.ts'

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
  let process = await ServerProcess.start(folder, env)
  const { port } = process
  const start = async () => {
    process = await ServerProcess.start(folder, { ...env, PORT: String(port) })
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
