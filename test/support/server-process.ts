/**
 * Server process: the built server as a child process, started, stopped or killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { SignJWT } from 'jose'
import { onTestFinished } from 'vitest'
import { serverMain } from './bundle.ts'
import { transportEnv } from './transports.ts'

/** The key of all tokens. */
export const SECRET = 'a secret for tests, of 32 bytes and more'

/** A token of the user, for an hour. */
export function tokenOf(userId: string): Promise<string> {
  return new SignJWT({ name: userId })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))
}

export class ServerProcess {
  readonly #child: ChildProcess
  readonly port: number
  /** What it has written to stderr, all lines. */
  readonly lines: readonly string[]

  private constructor(child: ChildProcess, port: number, lines: readonly string[]) {
    this.#child = child
    this.port = port
    this.lines = lines
  }

  /** Starts the server on a free port, and waits until it listens. Killed after the test. */
  static async start(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    return await ServerProcess.run([process.execPath, serverMain, 'serve'], dataDir, env)
  }

  /**
   * The same, with a command of the test that ends in the server. `atEnd` registers the kill; a server
   * that outlives its test passes `afterAll`.
   */
  static async run(
    [command = '', ...args]: readonly string[],
    dataDir: string,
    env: Readonly<Record<string, string>> = {},
    atEnd: (kill: () => void) => void = onTestFinished,
  ): Promise<ServerProcess> {
    const child = spawn(command, args, {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: dataDir,
        HOST: '127.0.0.1',
        PORT: '0',
        JWT_SECRET: SECRET,
        NODE_ENV: 'production',
        RATE_LIMIT: '0',
        // Independent of the machine: an id has the same owner everywhere.
        SHARDS: '2',
        ...transportEnv,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    atEnd(() => {
      child.kill('SIGKILL')
    })
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })
    const said: string[] = []
    const port = await new Promise<number>((resolve, reject) => {
      lines.on('line', (line) => {
        said.push(line)
        const port = /"port":(\d+).*"msg":"listening"/.exec(line)?.[1]
        if (port) resolve(Number(port))
      })
      child.once('exit', () => reject(new Error(`the server did not start:\n${said.join('\n')}`)))
    })
    return new ServerProcess(child, port, said)
  }

  /** The main entry of the built server, for other commands. */
  static readonly main = serverMain

  get pid(): number {
    return this.#child.pid as number
  }

  /** `kill -9`: the process runs no further code. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Resolves with the exit code when the process exits. */
  async ended(): Promise<number | null> {
    const [code] = (await once(this.#child, 'exit')) as [number | null]
    return code
  }

  /** SIGTERM; resolves with the exit code, or null if the process was killed. */
  async stop(): Promise<number | null> {
    const ended = this.ended()
    this.#child.kill('SIGTERM')
    return await ended
  }
}
