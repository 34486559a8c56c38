/**
 * Serve: the server as a process, or as several. It starts from the environment, prints its address, and stops
 * on SIGTERM or SIGINT: clients are notified, requests are answered, changes are committed, exit code 0.
 */

import { version } from '../engine/version.ts'
import { resolveSettings, settingsFromEnv } from './config.ts'
import { type Role, runRole } from './fronts/role-command.ts'
import { supervise } from './fronts/supervise-command.ts'
import { createLog } from './logger.ts'
import { processSettingsFromEnv } from './process-settings.ts'
import { createServer } from './server.ts'
import { closeOrKill, stopReason } from './stopping.ts'
import { printTrialLink } from './trial-link.ts'

/** The environment and the streams of a command, so that it can run in a test. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard output: the result of the command. */
  readonly out: (line: string) => void
  /** Standard error. */
  readonly err: (line: string) => void
}

/**
 * Runs the server until a signal arrives; resolves with the exit code. Start errors are thrown. With a role it
 * is only a part of the server, with `FRONTS` it starts the parts.
 */
export async function serve(context: CommandContext, role: Role | null = null): Promise<number> {
  if (role) return runRole(role, context)
  const given = settingsFromEnv(context.env)
  const settings = resolveSettings(given)
  const { fronts } = processSettingsFromEnv(context.env)
  if (fronts > 0) return supervise(settings, fronts, context)
  const logger = createLog(settings.logLevel)
  const server = await createServer({ ...given, logger })
  context.out(`Tertulia ${version} listens on ${server.url}`)
  await printTrialLink(settings, server.url, context)
  const reason = await stopReason()
  await closeOrKill(logger, () => server.close(reason))
  return 0
}
