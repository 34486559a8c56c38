/**
 * Spawn: starts the processes of a supervisor. They run the program of this process, so that a deployment
 * starts what is installed at its path by then.
 *
 * Fronts are workers of `node:cluster`: the built-in transport shares a port only between these. Each accepts by
 * itself: in turn, the supervisor would accept for them, and a connection that it has passed to a front that is
 * killed before it says that it has it would stay open for ever, unanswered. The key of the link is in the
 * environment of the processes, never in their arguments.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import cluster from 'node:cluster'

export interface SpawnOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the engine listens for fronts. */
  readonly link: string
  readonly linkKey: string
  /** The port of the fronts. */
  readonly port: number
}

/** The variable with the name of a process, for its log. */
export const PROCESS_NAME = 'TERTULIA_PROCESS'

cluster.schedulingPolicy = cluster.SCHED_NONE

const program = (): string => process.argv[1] as string

export function spawnEngine({ env, link, linkKey }: SpawnOptions): ChildProcess {
  const args = [...process.execArgv, program(), 'serve', '--role', 'engine', '--listen', link]
  return spawn(process.execPath, args, {
    env: { ...env, LINK_KEY: linkKey, [PROCESS_NAME]: 'engine' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

export function spawnFront({ env, link, linkKey, port }: SpawnOptions, number: number): ChildProcess {
  cluster.setupPrimary({
    exec: program(),
    args: ['serve', '--role', 'front', '--engine', link],
    execArgv: process.execArgv,
  })
  return cluster.fork({
    ...env,
    LINK_KEY: linkKey,
    PORT: String(port),
    [PROCESS_NAME]: `front ${number}`,
  }).process
}
