/**
 * Logger: pino, as lines of JSON on standard error. Standard output holds only the output of a command.
 * Tokens and secrets are removed: fields by their names, and everything that looks like a JWT from the
 * whole line, because error texts may contain any input.
 */
import pino, { type DestinationStream, type LevelWithSilent } from 'pino'
import type { EngineLogger } from '../engine/base/engine-logger.ts'
import { type LogLines, RecentLines } from './admin/recent-lines.ts'

/** The server's log. The two lowest levels are optional. */
export interface ServerLogger extends EngineLogger {
  /** One line for each connection and HTTP request. */
  debug?(fields: object, message: string): void
  /** One line for each request on a socket. */
  trace?(fields: object, message: string): void
  /** Whether lines of that level are written. Without this function every level with a method is written. */
  isLevelEnabled?(level: string): boolean
  /** The last lines, for the dashboard. A logger without it shows none there. */
  readonly recent?: LogLines
}

/** The logger if it writes lines of that level, else null, so that the caller builds no line. */
export function enabledAt(logger: ServerLogger, level: 'debug' | 'trace'): ServerLogger | null {
  return logger[level] && logger.isLevelEnabled?.(level) !== false ? logger : null
}

/** Lines that wait for a disk with room; newer ones are lost. */
const MAX_WAITING_BYTES = 1_048_576
const secrets = ['token', 'authorization', 'secret', 'password', 'cookie', 'jwtSecret', 'metricsToken']
const CENSOR = '[removed]'
/** The header and the claims of a JWT are JSON objects: they begin with `{"`, which is `eyJ` in base64. */
const JWT = /eyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?/g

/**
 * Creates a log of `level` and above; `destination` is for tests. A pino logger is a `ServerLogger`. Each line
 * has the name of the process, if several processes write to one log.
 */
export function createLog(
  level: LevelWithSilent,
  destination?: DestinationStream,
  processName?: string,
): ServerLogger {
  const options = {
    level,
    base: processName === undefined ? null : { process: processName },
    redact: {
      paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: CENSOR,
    },
  }
  const out = destination ?? standardError()
  const recent = new RecentLines()
  const write = (line: string) => {
    const clean = line.replace(JWT, CENSOR)
    recent.add(clean)
    out.write(clean)
  }
  return Object.assign(pino(options, { write }), { recent })
}

/** Written synchronously, so that the last lines of a process are not lost. A log that cannot be written ends nothing. */
function standardError(): DestinationStream {
  const out = pino.destination({ fd: 2, sync: true, maxLength: MAX_WAITING_BYTES })
  out.on('error', () => {})
  return out
}
