/**
 * Log: pino, as lines of JSON on standard error, so that standard output holds only what a command
 * has to say. Tokens are taken out wherever a field of that name stands.
 */
import pino, { type DestinationStream, type LevelWithSilent } from 'pino'
import type { EngineLogger } from '../engine/engine.ts'

const secrets = ['token', 'authorization', 'secret', 'jwtSecret']

/** Makes a log of `level` and up; `destination` is for tests. A pino logger is an `EngineLogger`. */
export function createLog(level: LevelWithSilent, destination?: DestinationStream): EngineLogger {
  const options = {
    level,
    base: null,
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[removed]' },
  }
  // Written at once: the last lines of a process are the ones that matter.
  return pino(options, destination ?? pino.destination({ fd: 2, sync: true }))
}
