/**
 * Starts a thread of the engine with the arguments of this process that make sense in a thread.
 *
 * A worker inherits `process.execArgv`, and newer versions of Node refuse to start one with the
 * arguments of a script given on the command line (`node --input-type=module -e "…"`). A thread then
 * gets arguments of its own. Options of V8 and of the process are refused there, and ignored where
 * they are inherited, so only the options that change how modules are loaded are passed on.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** Limit of V8's young generation in MiB. Without one, each thread would grow it to 48 while clients connect. */
const YOUNG_MIB = 6

const evalOptions = new Set(['-e', '--eval', '-p', '--print', '-pe', '--input-type'])
/** Each has a value, in the same argument or in the next. */
const moduleOptions = new Set([
  '--import',
  '-r',
  '--require',
  '-C',
  '--conditions',
  '--loader',
  '--experimental-loader',
])

export function startThread(
  file: URL,
  options: WorkerOptions,
  maxYoungGenerationSizeMb: number = YOUNG_MIB,
): Worker {
  const { execArgv } = process
  return new Worker(file, {
    ...options,
    resourceLimits: { maxYoungGenerationSizeMb },
    ...(isEvaluated(execArgv) && { execArgv: moduleArgs(execArgv) }),
  })
}

function isEvaluated(args: readonly string[]): boolean {
  return args.some((arg) => evalOptions.has(nameOf(arg)))
}

/** The arguments that change how modules are loaded. */
export function moduleArgs(args: readonly string[]): string[] {
  return args.filter((arg, i) => {
    const before = args[i - 1] ?? ''
    return moduleOptions.has(nameOf(arg)) || moduleOptions.has(before)
  })
}

function nameOf(arg: string): string {
  return arg.split('=', 1)[0] as string
}
