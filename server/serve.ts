/**
 * Serve: the server as a process. It starts from the environment, prints its address, and stops on SIGTERM
 * or SIGINT: clients are notified, requests are answered, changes are committed, exit code 0.
 */

import { version } from '../engine/version.ts'
import { resolveSettings, type Settings, settingsFromEnv } from './config.ts'
import { trialKey } from './http/trial-routes.ts'
import { createLog } from './logger.ts'
import { createServer, type Server } from './server.ts'
import { makeToken } from './token.ts'

/** The environment and the streams of a command, so that it can run in a test. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard output: the result of the command. */
  readonly out: (line: string) => void
  /** Standard error. */
  readonly err: (line: string) => void
}

const TRIAL_USER = 'guest'
const ADMIN_USER = 'operator'
const TRIAL_SECONDS = 12 * 3_600
/** The process ends after this time even if a thread hangs: supervisors wait at least five seconds. */
const CLOSE_WITHIN_MS = 4_700

/** Runs the server until a signal arrives; resolves with the exit code. Start errors are thrown. */
export async function serve(context: CommandContext): Promise<number> {
  const given = settingsFromEnv(context.env)
  const settings = resolveSettings(given)
  const logger = createLog(settings.logLevel)
  const server = await createServer({ ...given, logger })
  context.out(`Tertulia ${version} listens on ${server.url}`)
  await printTrialLink(settings, server, context)

  const signal = await firstSignal()
  const late = setTimeout(() => kill('closing took too long'), CLOSE_WITHIN_MS)
  await server.close(`the server received ${signal}`).catch((error: Error) => kill(error.message))
  clearTimeout(late)
  return 0

  /** `process.exit` would wait for the thread that hangs. Acknowledged changes are stored. */
  function kill(why: string): void {
    logger.error({ why }, 'the process is killed')
    process.kill(process.pid, 'SIGKILL')
  }
}

/** Outside production: prints a link to the page, where people are tried by their name, and a token. */
async function printTrialLink(settings: Settings, server: Server, { out }: CommandContext): Promise<void> {
  const key = trialKey(settings)
  if (key === null) return
  out(`Try it: ${server.url}/#trial=${key} (in two windows to be two people)`)
  const token = await makeToken(settings, { userId: TRIAL_USER, name: 'Guest', ttlSeconds: TRIAL_SECONDS })
  out(`Token of the user "${TRIAL_USER}", for 12 hours: ${token}`)
  const admin = await makeToken(settings, { userId: ADMIN_USER, isAdmin: true, ttlSeconds: TRIAL_SECONDS })
  out(`Dashboard: ${server.url}/admin#token=${admin}`)
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}
