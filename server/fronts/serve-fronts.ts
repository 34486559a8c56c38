/**
 * Serve fronts: an engine for fronts in other processes, with the limits that hold over all of them.
 */
import { machineClock } from '../../engine/base/clock.ts'
import {
  checkOptions,
  integer,
  methods,
  path as nonEmptyText,
  type OptionCheck,
} from '../../engine/check-options.ts'
import type { Engine } from '../../engine/engine.ts'
import { AddressGuard, MAX_ADDRESSES } from '../address-guard.ts'
import { settings } from '../config.ts'
import { type FrontLink, type FrontListener, listenForFronts } from '../link/front-listener.ts'
import type { ListenTls } from '../link/link-address.ts'
import { createLog, type ServerLogger } from '../logger.ts'
import { LoopDelay } from '../metrics/loop-delay.ts'
import type { EngineProcess } from '../served-engine.ts'
import type { FromFront, ToFronts } from './fleet-notices.ts'
import { SharedLimits } from './shared-limits.ts'

export interface ServeFrontsOptions {
  /**
   * Where to listen: `unix:/path` for fronts on this machine, `tcp://host:port` for a trusted network,
   * `tls://host:port` for any other.
   */
  readonly address: string
  /** `LINK_KEY` of the fronts, at least 32 characters. Required. */
  readonly key: string | undefined
  /** For `tls://`: the certificate with its chain and the private key, as PEM texts. */
  readonly tls?: ListenTls | undefined
  /** Events per minute and user over all fronts; 100 by default, 0 is no limit. */
  readonly rateLimit?: number | undefined
  /** Sessions of one user over all fronts; 16 by default. */
  readonly maxSessionsPerUser?: number | undefined
  /** Failed authentications per minute and address over all fronts; 60 by default, 0 is no limit. */
  readonly authFailureLimit?: number | undefined
  /** The log; pino on standard error by default. */
  readonly logger?: ServerLogger | undefined
}

const optionChecks: { readonly [N in keyof ServeFrontsOptions]-?: OptionCheck } = {
  address: { ...nonEmptyText, rule: 'unix:/path, tcp://host:port or tls://host:port' },
  // Checked apart: an error must not show it.
  key: { accepts: () => true, rule: '' },
  tls: {
    accepts: (value) => {
      const { cert, key } = (value ?? {}) as Partial<ListenTls>
      return typeof cert === 'string' && typeof key === 'string'
    },
    rule: 'an object with the PEM texts cert and key',
  },
  rateLimit: integer(0),
  maxSessionsPerUser: integer(1),
  authFailureLimit: integer(0),
  logger: methods(['info', 'warn', 'error']),
}
const MIN_KEY_CHARACTERS = 32

const ROTATE_EVERY_MS = 1_000
const SWEEP_EVERY_MS = 10_000
const US_PER_SECOND = 1_000_000

/**
 * Lets front processes (`tertulia serve --role front`) serve this engine. A service with hooks runs its engine
 * so: the hooks stay in its process, and the sockets are in others, which it can restart separately.
 *
 * @example
 * ```ts
 * const engine = await createEngine({ dataDir: './data', hooks: { beforeMessage } })
 * const fronts = await serveFronts(engine, { address: 'unix:./data/link.sock', key: process.env['LINK_KEY'] })
 * process.once('SIGTERM', async () => {
 *   await fronts.close()
 *   await engine.close()
 * })
 * ```
 *
 * @throws TypeError for an unknown option, an invalid value or a key that is too short; LinkError if the address
 *   is invalid or in use
 */
export async function serveFronts(engine: Engine, options: ServeFrontsOptions): Promise<FrontListener> {
  const { steadyNow } = machineClock
  checkOptions(options, optionChecks, ['address'], 'serveFronts')
  const { address, key, tls, logger = createLog('info') } = options
  if (typeof key !== 'string' || key.length < MIN_KEY_CHARACTERS) {
    throw new TypeError(
      `key must be a text of at least ${MIN_KEY_CHARACTERS} characters: LINK_KEY of the fronts`,
    )
  }
  const limits = new SharedLimits({
    rateLimit: options.rateLimit ?? settings.rateLimit.default,
    maxSessionsPerUser: options.maxSessionsPerUser ?? settings.maxSessionsPerUser.default,
    now: steadyNow,
  })
  const guard = new AddressGuard({
    perMinute: options.authFailureLimit ?? settings.authFailureLimit.default,
    maxAddresses: MAX_ADDRESSES,
    now: steadyNow,
  })
  const startedAtMs = steadyNow()
  const loopDelay = new LoopDelay(startedAtMs)
  const ownProcess = (): EngineProcess => {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return {
      pid: process.pid,
      uptimeMs: steadyNow() - startedAtMs,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      cpuSeconds: (user + system) / US_PER_SECOND,
      eventLoopDelayP99Ms: loopDelay.stats().p99Ms,
      fronts: [...listener.fronts].length,
    }
  }
  const served = { ...engine, stats: async () => ({ ...(await engine.stats()), process: ownProcess() }) }
  const listener = await listenForFronts(served, {
    address,
    key,
    tls,
    logger,
    limits,
    onNotice: (from, notice) => passOn(from, notice as FromFront, listener.fronts, guard),
  }).catch((error: unknown) => {
    loopDelay.close()
    throw error
  })
  const timers = [
    setInterval(() => loopDelay.rotate(steadyNow()), ROTATE_EVERY_MS),
    setInterval(() => {
      limits.sweep()
      guard.sweep()
    }, SWEEP_EVERY_MS),
  ]
  return {
    address: listener.address,
    get fronts() {
      return listener.fronts
    },
    close() {
      for (const timer of timers) clearInterval(timer)
      loopDelay.close()
      return listener.close()
    },
  }
}

function passOn(from: FrontLink, notice: FromFront, fronts: Iterable<FrontLink>, guard: AddressGuard): void {
  const others = () => [...fronts].filter(({ id }) => id !== from.id)
  switch (notice.kind) {
    case 'failed': {
      const { address } = notice
      guard.failed(address)
      const forMs = guard.blockedForMs(address)
      if (forMs > 0)
        for (const front of fronts) front.notify({ kind: 'blocked', address, forMs } satisfies ToFronts)
      return
    }
    case 'ask': {
      const { number, question } = notice
      const asked = others()
      from.notify({ kind: 'asked', number, fronts: asked.length } satisfies ToFronts)
      for (const front of asked)
        front.notify({ kind: 'ask', from: from.id, number, question } satisfies ToFronts)
      return
    }
    case 'answer': {
      const { to, number, value } = notice
      others()
        .find(({ id }) => id === to)
        ?.notify({ kind: 'answer', number, value } satisfies ToFronts)
      return
    }
  }
}
