/**
 * Children: the processes of a run, each in a separate folder; all of them end with the runner.
 *
 * Every wait has a deadline. If one fails, the error shows the last lines of the server's log; the runner
 * then ends all processes (`endAll`) and exits.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Figures } from './cases/case.ts'
import type { Target } from './load/crowd.ts'

export const serverMain = fileURLToPath(new URL('../server/main.js', import.meta.url))
const loadProcess = fileURLToPath(new URL('./load/load-process.js', import.meta.url))
const peers = new URL('./peers/', import.meta.url)
/** The arguments of `npm start` and of the bin; a test compares the three. */
const START_ARGS = ['--max-semi-space-size=2', '--v8-pool-size=0']
export const SECRET = 'the secret of a benchmark, 32 bytes or more'
/** For what hangs: on a busy machine a start takes long. */
const START_DEADLINE_MS = 60_000
const CASE_DEADLINE_MS = 180_000
const END_DEADLINE_MS = 60_000
const LISTEN_POLL_MS = 20
/** Lines of the server's log that an error shows. */
const LAST_LINES = 20

/** A running server. */
export interface RunningServer extends Target {
  readonly pid: number
  /** Its data folder; empty for a peer. */
  readonly dataDir: string
  /** Rejects when the process ends, which is not before `end`. */
  readonly alive: Promise<never>
  /** The last lines of its log. */
  lastLines(): string
  /** @throws Error if it does not exit with 0. */
  end(): Promise<void>
  /** Ends it without a warning (SIGKILL). */
  kill(): Promise<void>
}

export class Children {
  readonly #serverArgs: readonly string[]
  readonly #transport: string
  readonly #running = new Set<ChildProcess>()
  readonly #folders = new Set<string>()

  /** `transport` is the setting of that name; `serverArgs` go to Node before the server's own, for profiles: `--cpu-prof`. */
  constructor(serverArgs: readonly string[], transport: string) {
    this.#serverArgs = serverArgs
    this.#transport = transport
  }

  /**
   * Starts the built server with durable defaults, without a rate limit, on a new data directory; `env`
   * overrides any of that.
   */
  async server(env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    const dataDir = this.folder()
    const child = this.#own(
      spawn(process.execPath, [...START_ARGS, ...this.#serverArgs, serverMain, 'serve'], {
        env: {
          PATH: process.env['PATH'],
          NODE_ENV: 'production',
          PORT: '0',
          HOST: '127.0.0.1',
          DATA_DIR: dataDir,
          JWT_SECRET: SECRET,
          RATE_LIMIT: '0',
          TRANSPORT: this.#transport,
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    const lines: string[] = []
    const port = new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        lines.push(line)
        if (lines.length > LAST_LINES) lines.shift()
        const listening = /"port":(\d+).*"msg":"listening"/.exec(line)
        if (listening) resolve(Number(listening[1]))
      })
      child.once('exit', () => reject(new Error('the server ended at its start')))
    })
    const asServer = this.#asServer(child, lines, dataDir, () => this.removeFolder(dataDir))
    try {
      return { ...asServer, port: await within(START_DEADLINE_MS, 'the server listens', port) }
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${lines.join('\n')}`, { cause: error })
    }
  }

  /** Starts a program of `peers/`. */
  async peer(
    program: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunningServer> {
    const path = fileURLToPath(new URL(`${program}.js`, peers))
    const child = this.#own(
      fork(path, args, { execArgv: [...this.#serverArgs], env: { ...process.env, ...env } }),
    )
    const port = new Promise<number>((resolve, reject) => {
      child.once('message', (said) => resolve((said as { readonly port: number }).port))
      child.once('exit', () => reject(new Error(`${program} ended at its start`)))
    })
    const asServer = this.#asServer(child, [], '', () => {})
    return { ...asServer, port: await within(START_DEADLINE_MS, `${program} listens`, port) }
  }

  /** Starts a program that is installed on this machine, which listens on this port. */
  async program(command: string, args: readonly string[], port: number): Promise<RunningServer> {
    const child = this.#own(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
    const lines: string[] = []
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        lines.push(line)
        if (lines.length > LAST_LINES) lines.shift()
      })
    }
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`${command} ended at its start:\n${lines.join('\n')}`)))
    })
    // Some programs report a signal as an error.
    const asServer = this.#asServer(child, lines, '', () => {}, true)
    await within(START_DEADLINE_MS, `${command} listens`, Promise.race([listens(port), ended]))
    return { ...asServer, port }
  }

  /** Runs a command of the built program. @throws Error if it fails */
  async command(args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const child = this.#own(
      spawn(process.execPath, [serverMain, ...args], {
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    let errors = ''
    child.stderr.on('data', (text) => {
      errors += text
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${errors}`)
  }

  /** A folder that is removed at the end. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tertulia-bench-'))
    this.#folders.add(folder)
    return folder
  }

  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
    this.#folders.delete(folder)
  }

  /** Starts a process that is ended with the others. */
  fork(path: string, args: readonly string[]): ChildProcess {
    return this.#own(fork(path, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  }

  /** Runs one case in a separate process. */
  async load(name: string, server: RunningServer, quick: boolean): Promise<Figures> {
    const { pid, port, secret, alive, lastLines } = server
    const input = JSON.stringify({ pid, port, secret, quick })
    const child = this.fork(loadProcess, [name, input])
    const figures = new Promise<Figures>((resolve, reject) => {
      child.once('message', (said) => resolve(said as Figures))
      child.once('exit', (code, signal) =>
        reject(new Error(`the load of ${name} ended with ${signal ?? code} and no figures`)),
      )
    })
    try {
      return await within(CASE_DEADLINE_MS, `${name} has its figures`, Promise.race([figures, alive]))
    } catch (error) {
      const said = lastLines()
      throw new Error(`${(error as Error).message}${said && `; the last lines of the server:\n${said}`}`, {
        cause: error,
      })
    }
  }

  /** Ends all running processes and removes their folders; called however the runner ends. */
  endAll(): void {
    for (const child of this.#running) child.kill('SIGKILL')
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }

  #own<T extends ChildProcess>(child: T): T {
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  #asServer(
    child: ChildProcess,
    lines: readonly string[],
    dataDir: string,
    cleanUp: () => void,
    anyCode = false,
  ): Omit<RunningServer, 'port'> {
    const alive = new Promise<never>((_, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`the server ended with ${signal ?? code}`)))
    })
    // Only a running case awaits it.
    alive.catch(() => {})
    return {
      alive,
      pid: child.pid as number,
      dataDir,
      secret: SECRET,
      lastLines: () => lines.join('\n'),
      async end() {
        const ended = once(child, 'exit')
        if (!child.kill('SIGTERM')) throw new Error('a server exited before it was stopped')
        const [code] = (await within(END_DEADLINE_MS, 'the server ends', ended)) as [number | null]
        cleanUp()
        if (code !== 0 && !anyCode) throw new Error(`a server ended with ${code} instead of 0`)
      },
      async kill() {
        if (child.exitCode !== null || child.signalCode !== null) return cleanUp()
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await within(END_DEADLINE_MS, 'the server ends', ended)
        cleanUp()
      },
    }
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when something accepts connections on the port. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await delay(LISTEN_POLL_MS)
  }
}

/** The promise's value. @throws Error after the time limit. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
