/**
 * Deploy command: `tertulia deploy` replaces the processes of a server with fronts, while it runs.
 */
import { settings, settingsFromEnv } from '../config.ts'
import type { CommandContext } from '../serve.ts'
import { askForDeployment, CONTROL_SOCKET } from './control.ts'
import { socketPath } from './socket-path.ts'

/** Prints each step; resolves with the exit code when all processes are replaced. @throws Error with the reason */
export async function deploy(isEngineOnly: boolean, { env, out }: CommandContext): Promise<number> {
  const { dataDir = settings.dataDir.default } = settingsFromEnv({ DATA_DIR: env['DATA_DIR'] })
  await askForDeployment(socketPath(dataDir, CONTROL_SOCKET), isEngineOnly ? 'engine' : 'all', out)
  return 0
}
