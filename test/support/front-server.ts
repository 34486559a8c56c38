/**
 * Front server: `tertulia serve` with fronts as processes, and which process is which.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { serverMain } from './bundle.ts'
import { SECRET } from './server-process.ts'
import { transportEnv } from './transports.ts'

export type Env = Readonly<Record<string, string>>

/** The processes of a server with fronts. */
export interface Pids {
  readonly engine: number
  readonly fronts: readonly number[]
}

/** The environment of a test's server; a test overrides what it needs. */
export function envOf(dataDir: string, env: Env): Env {
  return {
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    JWT_SECRET: SECRET,
    NODE_ENV: 'production',
    RATE_LIMIT: '0',
    SHARDS: '1',
    LOG_LEVEL: 'error',
    ...transportEnv,
    ...env,
  }
}

/** A command of `tertulia`: its lines on both outputs, until it exits. */
export class CommandProcess {
  readonly child: ChildProcess
  readonly out: string[] = []
  readonly err: string[] = []
  readonly exited: Promise<number | string | null>

  constructor(args: readonly string[], env: Env) {
    this.child = spawn(process.execPath, [serverMain, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.exited = once(this.child, 'close').then(([code, signal]) => signal ?? code)
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.out.push(line),
    )
    createInterface({ input: this.child.stderr as NodeJS.ReadableStream }).on('line', (line) =>
      this.err.push(line),
    )
    onTestFinished(async () => {
      this.child.kill('SIGTERM')
      await this.exited
    })
  }

  /** Resolves with the first line on standard output that matches. @throws Error if it exits before */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false
    void this.exited.then(() => {
      ended = true
    })
    for (;;) {
      for (const line of this.out) {
        const match = pattern.exec(line)
        if (match) return match
      }
      if (ended) throw new Error(`it ended:\n${this.err.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** A server with fronts, stopped after the test. */
export class FrontServer {
  readonly port: number
  readonly command: CommandProcess
  readonly #env: Env

  private constructor(port: number, command: CommandProcess, env: Env) {
    this.port = port
    this.command = command
    this.#env = env
  }

  static async start(dataDir: string, env: Env = {}): Promise<FrontServer> {
    const whole = envOf(dataDir, { FRONTS: '2', ...env })
    const command = new CommandProcess(['serve'], whole)
    const [, port] = await command.line(/listens on http:\/\/127\.0\.0\.1:(\d+)/)
    return new FrontServer(Number(port), command, whole)
  }

  /** The processes that run now, without those that have not started or are ending. */
  pids(): Pids {
    const children = childrenOf(this.command.child.pid as number)
    const [engine = 0] = children
      .filter(({ command }) => command.includes('--role engine'))
      .map(({ pid }) => pid)
    return {
      engine,
      fronts: children.filter(({ command }) => command.includes('--role front')).map(({ pid }) => pid),
    }
  }

  /** Runs `tertulia deploy`; resolves with its lines. @throws Error if it fails */
  async deploy(...args: string[]): Promise<readonly string[]> {
    const command = new CommandProcess(['deploy', ...args], this.#env)
    const code = await command.exited
    if (code !== 0) throw new Error(command.err.join('\n'))
    return command.out
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | string | null> {
    this.command.child.kill('SIGTERM')
    return await this.command.exited
  }
}

export function childrenOf(parent: number): readonly RunningChild[] {
  return (existsSync('/proc/self/stat') ? childrenInProc : childrenByPs)(parent)
}

interface RunningChild {
  readonly pid: number
  readonly command: string
}

/** Small systems have no `ps`. */
function childrenInProc(parent: number): readonly RunningChild[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The name of the program is in parentheses and may contain any.
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(ppid) !== parent || state === 'Z') return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return [{ pid: Number(name), command }]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

function childrenByPs(parent: number): readonly RunningChild[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' }).split(
    '\n',
  )
  return lines.flatMap((line) => {
    const [, pid, ppid, stat = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    return Number(ppid) === parent && !stat.startsWith('Z') ? [{ pid: Number(pid), command }] : []
  })
}

/** Occupies a free port until the end of the test. */
export async function occupiedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
