/**
 * Starts a thread of the engine with the arguments of this process that make sense in a thread.
 *
 * A worker inherits `process.execArgv`. The arguments of a script given on the command line
 * (`node --input-type=module -e "…"`) are not for a thread: newer versions of Node refuse to start
 * a worker with them.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** Followed by their value, where that is not in the same argument. */
const evalOptions = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type'])

export function startThread(file: URL, options: WorkerOptions): Worker {
  const { execArgv } = process
  const args = threadArgs(execArgv)
  // Options of V8 are ignored where they are inherited, and refused where they are given.
  return new Worker(file, args.length === execArgv.length ? options : { ...options, execArgv: args })
}

/** The arguments without those of an evaluated script. */
export function threadArgs(args: readonly string[]): string[] {
  return args.filter((arg, i) => {
    const [name = ''] = arg.split('=', 1)
    return !evalOptions.has(name) && !evalOptions.has(args[i - 1] ?? '')
  })
}
