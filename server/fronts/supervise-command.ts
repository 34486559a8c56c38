/**
 * Supervise command: `tertulia serve` with `FRONTS`, the process that starts the others and runs none of them.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { machineClock } from '../../engine/base/clock.ts'
import { createFolder } from '../../engine/base/create-folder.ts'
import { startTimer } from '../../engine/threads/timer.ts'
import { version } from '../../engine/version.ts'
import type { Settings } from '../config.ts'
import { createLog, type ServerLogger } from '../logger.ts'
import type { CommandContext } from '../serve.ts'
import { ConfigError } from '../setting-table.ts'
import { CLOSE_WITHIN_MS, stopReason } from '../stopping.ts'
import { printTrialLink } from '../trial-link.ts'
import { Child } from './child.ts'
import { claimPort } from './claim-port.ts'
import { acceptCommands, CONTROL_SOCKET } from './control.ts'
import { frontSocket, removeFrontSockets, socketPath } from './socket-path.ts'
import { spawnEngine, spawnFront } from './spawn.ts'
import { Supervisor } from './supervisor.ts'

const LINK_SOCKET = 'link.sock'
const LINK_KEY_BYTES = 32
/** A child kills itself before that. */
const STOP_WITHIN_MS = CLOSE_WITHIN_MS + 300

/** Runs an engine and `fronts` fronts until it is stopped; resolves with the exit code. */
export async function supervise(
  settings: Settings,
  fronts: number,
  context: CommandContext,
): Promise<number> {
  if (process.platform === 'win32') throw new ConfigError('FRONTS is not supported on Windows')
  const logger = createLog(settings.logLevel, undefined, 'supervisor')
  const control = socketPath(settings.dataDir, CONTROL_SOCKET)
  const spawned = {
    env: context.env,
    link: `unix:${socketPath(settings.dataDir, LINK_SOCKET)}`,
    linkKey: randomBytes(LINK_KEY_BYTES).toString('hex'),
    port: await claimPort(settings.host, settings.port),
  }
  const timing = { now: machineClock.steadyNow, after: startTimer, stopWithinMs: STOP_WITHIN_MS }
  const supervisor = new Supervisor({
    spawnEngine: () => new Child(spawnEngine(spawned), timing),
    spawnFront: (number) => {
      const child = new Child(spawnFront(spawned, number), timing)
      // One that was killed leaves its socket.
      void child.exited.then(() => rmSync(frontSocket(settings.dataDir, child.pid), { force: true }))
      return child
    },
    fronts,
    logger,
    after: startTimer,
  })
  const stopped = stopReason()
  // Before the start: the signal would end the process.
  deployOnHangUp(supervisor, logger)
  createFolder(settings.dataDir)
  const started = await Promise.race([supervisor.start(), stopped])
  if (typeof started !== 'string') {
    // After the start: then this data folder has no other server.
    const commands = await acceptCommands(control, supervisor)
    removeFrontSockets(settings.dataDir)
    const { url = '' } = started
    context.out(`Tertulia ${version} listens on ${url}, with ${fronts} fronts`)
    await printTrialLink(settings, url, context)
    logger.info({ reason: await stopped }, 'stopping')
    commands.close()
  }
  await supervisor.stop()
  return 0
}

/** SIGHUP deploys. On a terminal it means that the terminal is closed, and ends the process as usual. */
function deployOnHangUp(supervisor: Supervisor, logger: ServerLogger): void {
  if (process.stdin.isTTY || process.stdout.isTTY) return
  process.on('SIGHUP', () => {
    logger.info({}, 'SIGHUP: deploying')
    supervisor
      .deploy('all', (step) => logger.info({}, step))
      .then(
        () => logger.info({}, 'deployed'),
        (error: Error) => logger.error({ why: error.message }, 'the deployment failed'),
      )
  })
}
