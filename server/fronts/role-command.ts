/**
 * Role command: `tertulia serve --role engine` and `--role front`, the two processes that a server consists of
 * if its sockets are apart from its engine. A supervisor starts them likewise.
 */
import { readFileSync } from 'node:fs'
import { createEngine } from '../../engine/engine.ts'
import { version } from '../../engine/version.ts'
import { keysOf, resolveSettings, type Settings, settingsFromEnv } from '../config.ts'
import { engineSettings } from '../engine-settings.ts'
import { connectEngine } from '../link/linked-engine.ts'
import { createLog, type ServerLogger } from '../logger.ts'
import { type ProcessSettings, processSettings, processSettingsFromEnv } from '../process-settings.ts'
import type { CommandContext } from '../serve.ts'
import { startServer } from '../server.ts'
import { ConfigError } from '../setting-table.ts'
import { closeOrKill, stopReason } from '../stopping.ts'
import { type Listening, type Parent, parentOf } from './child-messages.ts'
import { Fleet } from './fleet.ts'
import { serveFronts } from './serve-fronts.ts'
import { PROCESS_NAME } from './spawn.ts'

/** The options of `tertulia serve` that make it one of the two. */
export type Role =
  | { readonly role: 'engine'; readonly listen: string }
  | { readonly role: 'front'; readonly engine: string }

/** What a role runs until it is stopped. */
interface Running {
  readonly listening: Listening
  /** What is printed if nobody supervises the process. */
  readonly line: string
  readonly logger: ServerLogger
  readonly close: (reason: string) => Promise<void>
}

/** Runs one of the two until it is stopped; resolves with the exit code. */
export async function runRole(role: Role, context: CommandContext): Promise<number> {
  const parent = parentOf(process)
  try {
    const stopped = parent ? stopReason(parent) : null
    const running =
      role.role === 'engine' ? await runEngine(role, context, parent) : await runFront(role, context, parent)
    if (running) {
      if (parent) parent.report({ kind: 'ready', listening: running.listening })
      else context.out(running.line)
      const reason = await (stopped ?? stopReason())
      await closeOrKill(running.logger, () => running.close(reason))
    }
    return 0
  } catch (error) {
    if (!parent) throw error
    // The supervisor shows it.
    parent.report({ kind: 'failed', why: (error as Error).message })
    return 1
  } finally {
    // Nobody is listened to any more: the process may end.
    process.channel?.unref()
  }
}

async function runEngine(
  { listen }: Extract<Role, { role: 'engine' }>,
  { env }: CommandContext,
  parent: Parent | null,
): Promise<Running | null> {
  const settings = resolveSettings(settingsFromEnv(env), false)
  const processes = processSettingsFromEnv(env)
  const logger = createLog(settings.logLevel, undefined, env[PROCESS_NAME])
  const { rateLimit, maxSessionsPerUser, authFailureLimit } = settings
  const options = {
    rateLimit,
    maxSessionsPerUser,
    authFailureLimit,
    address: listen,
    key: requireLinkKey(processes),
    tls: certificateOf(listen, processes),
    logger,
  }
  if (parent && !(await isToStart(parent))) return null
  const engine = await createEngine({ ...engineSettings(settings), logger })
  try {
    const listener = await serveFronts(engine, options)
    return {
      listening: {},
      line: `Tertulia ${version}: the engine listens for fronts at ${listener.address}`,
      logger,
      close: async () => {
        await listener.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** An engine that replaces another one loads while that one runs, and starts when it has ended. */
async function isToStart(parent: Parent): Promise<boolean> {
  const start = new Promise<true>((resolve) => parent.on('start', () => resolve(true)))
  parent.report({ kind: 'loaded' })
  return await Promise.race([start, parent.ended.then(() => false)])
}

async function runFront(
  { engine: address }: Extract<Role, { role: 'front' }>,
  { env }: CommandContext,
  parent: Parent | null,
): Promise<Running> {
  const given = settingsFromEnv(env)
  const settings = resolveSettings(given)
  if (!parent) requireSharedKey(settings)
  const processes = processSettingsFromEnv(env)
  const logger = createLog(settings.logLevel, undefined, env[PROCESS_NAME])
  const engine = await connectEngine({
    address,
    key: requireLinkKey(processes),
    tls: { ca: processes.linkCert === undefined ? undefined : readPem('LINK_CERT', processes.linkCert) },
    logger,
  })
  const fleet = new Fleet(engine, {
    number: parent ? frontNumber(env[PROCESS_NAME]) : 0,
    id: process.pid,
    folder: settings.dataDir,
  })
  try {
    const server = await startServer({ ...given, engine, sharesPort: parent !== null, logger }, fleet)
    parent?.on('stop_listening', () => {
      fleet.leave()
      server.stopListening()
    })
    const { port, url } = server
    return {
      listening: { port, url },
      line: `Tertulia ${version}: a front of the engine at ${address} listens on ${url}`,
      logger,
      close: async (reason) => {
        fleet.leave()
        await server.close(reason)
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** The number in the name that the supervisor gave the process. */
function frontNumber(name = ''): number {
  return Number(/^front (\d+)$/.exec(name)?.[1] ?? 0)
}

/** @throws ConfigError */
function requireLinkKey({ linkKey }: ProcessSettings): string {
  if (linkKey !== undefined) return linkKey
  throw new ConfigError(
    `an engine and its fronts require the same LINK_KEY, ${processSettings.linkKey.kind.rule}; openssl rand -hex 32 prints one`,
  )
}

/** @throws ConfigError: a front that creates a secret of its own would accept no token of another one */
function requireSharedKey(settings: Settings): void {
  if (keysOf(settings).length > 0) return
  throw new ConfigError(
    'a front requires the key of the tokens: set JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL',
  )
}

function certificateOf(listen: string, { linkCert, linkCertKey }: ProcessSettings) {
  if (!listen.startsWith('tls:')) return undefined
  if (linkCert === undefined || linkCertKey === undefined)
    throw new ConfigError(`to listen at ${listen} set LINK_CERT and LINK_CERT_KEY`)
  return { cert: readPem('LINK_CERT', linkCert), key: readPem('LINK_CERT_KEY', linkCertKey) }
}

function readPem(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${variable} ${path} cannot be read: ${(error as Error).message}`)
  }
}
