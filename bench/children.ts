/**
 * Children: the processes of a run, each in a folder of its own, all of which end with the runner.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Figures } from './cases/case.ts'
import type { Target } from './load/crowd.ts'

const main = fileURLToPath(new URL('../server/main.js', import.meta.url))
/** As `npm start` and the bin start it. */
const START_ARG = '--max-semi-space-size=2'
const SECRET = 'the secret of a benchmark, 32 bytes or more'
const CASE_DEADLINE_MS = 180_000

/** A server that can be asked, until it is ended. */
export interface RunningServer extends Target {
  readonly pid: number
  end(): Promise<void>
}

export class Children {
  readonly #serverArgs: readonly string[]
  readonly #running = new Set<ChildProcess>()
  readonly #folders = new Set<string>()

  /** `serverArgs` go to Node before the server's own, for profiles: `--cpu-prof`. */
  constructor(serverArgs: readonly string[]) {
    this.#serverArgs = serverArgs
  }

  /** Starts the built server with durable defaults and no rate limit, on a data directory of its own. */
  async server(): Promise<RunningServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-bench-'))
    this.#folders.add(dataDir)
    const child = this.#own(
      spawn(process.execPath, [START_ARG, ...this.#serverArgs, main, 'serve'], {
        env: {
          PATH: process.env['PATH'],
          NODE_ENV: 'production',
          PORT: '0',
          HOST: '127.0.0.1',
          DATA_DIR: dataDir,
          JWT_SECRET: SECRET,
          RATE_LIMIT: '0',
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    const said: string[] = []
    const port = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        if (said.length < 50) said.push(line)
        const listening = /"port":(\d+).*"msg":"listening"/.exec(line)
        if (listening) resolve(Number(listening[1]))
      })
      child.once('exit', () => reject(new Error(`the server did not start:\n${said.join('\n')}`)))
    })
    return this.#asServer(child, port, () => {
      rmSync(dataDir, { recursive: true, force: true })
      this.#folders.delete(dataDir)
    })
  }

  /** Starts the bare peer. */
  async peer(): Promise<RunningServer> {
    const child = this.#own(fork(fileURLToPath(new URL('./peers/bare-uws-process.js', import.meta.url))))
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return this.#asServer(child, port, () => {})
  }

  /** Asks one case's question from a process of its own. */
  async load(name: string, { pid, port, secret }: RunningServer, quick: boolean): Promise<Figures> {
    const input = JSON.stringify({ pid, port, secret, quick })
    const child = this.#own(
      fork(fileURLToPath(new URL('./load/load-process.js', import.meta.url)), [name, input], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    )
    const deadline = setTimeout(() => child.kill('SIGKILL'), CASE_DEADLINE_MS)
    try {
      return await new Promise<Figures>((resolve, reject) => {
        child.once('message', (figures) => resolve(figures as Figures))
        child.once('exit', (code, signal) =>
          reject(new Error(`the load of ${name} ended with ${signal ?? code} and no figures`)),
        )
      })
    } finally {
      clearTimeout(deadline)
    }
  }

  /** Ends what still runs and removes its folders; for every way out. */
  endAll(): void {
    for (const child of this.#running) child.kill('SIGKILL')
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }

  #own<T extends ChildProcess>(child: T): T {
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  #asServer(child: ChildProcess, port: number, cleanUp: () => void): RunningServer {
    return {
      pid: child.pid as number,
      port,
      secret: SECRET,
      async end() {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const [code] = (await ended) as [number | null]
        cleanUp()
        if (code !== 0) throw new Error(`a server ended with ${code} instead of 0`)
      },
    }
  }
}
