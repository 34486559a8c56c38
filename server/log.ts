/**
 * Log: pino, as lines of JSON on standard error, so that standard output holds only what a command
 * has to say. Tokens and secrets are removed: fields by their names, and whatever looks like a JWT
 * from the whole line, because errors carry texts that nobody looked at.
 */
import pino, { type DestinationStream, type LevelWithSilent } from 'pino'
import type { EngineLogger } from '../engine/engine-logger.ts'

/** Where the server writes what an operator should know. The two finest levels may be missing. */
export interface ServerLogger extends EngineLogger {
  /** Connections and HTTP requests, one line each. */
  debug?(fields: object, message: string): void
  /** Requests on sockets, one line each. */
  trace?(fields: object, message: string): void
  /** Whether lines of that level are written; where it is missing, all that have a method. */
  isLevelEnabled?(level: string): boolean
}

/** The logger, where it writes lines of that level; else null, so that none is made. */
export function enabledAt(logger: ServerLogger, level: 'debug' | 'trace'): ServerLogger | null {
  return logger[level] && logger.isLevelEnabled?.(level) !== false ? logger : null
}

const secrets = ['token', 'authorization', 'secret', 'password', 'cookie', 'jwtSecret', 'metricsToken']
const CENSOR = '[removed]'
/** Header and claims of a JWT are objects, which begin `{"` and so `eyJ`. */
const JWT = /eyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?/g

/** Makes a log of `level` and up; `destination` is for tests. A pino logger is a `ServerLogger`. */
export function createLog(level: LevelWithSilent, destination?: DestinationStream): ServerLogger {
  const options = {
    level,
    base: null,
    redact: {
      paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: CENSOR,
    },
  }
  // Written at once: the last lines of a process are the ones that matter.
  const out = destination ?? pino.destination({ fd: 2, sync: true })
  return pino(options, { write: (line) => void out.write(line.replace(JWT, CENSOR)) })
}
