/**
 * Engine: groups and users as actors, with their history in SQLite, for this process and its sockets.
 *
 * `createEngine` starts the storage and the shards; `connect` opens a session in this process;
 * `gateway` connects a front end with sockets to the same actors. All guarantees of a session
 * hold for both.
 */

import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import { encodeEvent } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import type { Answer, MethodRequest } from '../protocol/methods.ts'
import type { RequestFields } from '../protocol/requests.ts'
import type { ContactPolicy } from './actors/group-rules.ts'
import { machineClock } from './base/clock.ts'
import type { EngineLogger } from './base/engine-logger.ts'
import { LANES } from './base/partition.ts'
import {
  callback,
  checkOptions,
  integer,
  integerOr,
  methods,
  type OptionCheck,
  oneOfWords,
  path,
} from './check-options.ts'
import { type DiskFigures, DiskSpace } from './disk-space.ts'
import { DiskAccess, type FileAccess } from './files/file-access.ts'
import type { Hooks } from './hooks/hooks.ts'
import type { PostNotices } from './hooks/post-reports.ts'
import type { EngineGateway, Identity } from './hub/gateway.ts'
import type { Health, HooksStats, ShardSide } from './hub/health.ts'
import { Hub, machineHub } from './hub/hub.ts'
import { LocalPort, LocalTopics, openSession, type Session } from './hub/session.ts'
import type { Durability } from './log/durability.ts'
import { inlineRuntime } from './runtime/inline-shards.ts'
import type { Runtime, ShardsOptions } from './runtime/running-shards.ts'
import type { ThreadFigures } from './runtime/thread-figures.ts'
import { workerRuntime } from './runtime/worker-shards.ts'
import type { IndexerStats } from './search/indexer-stats.ts'
import type { ShardStats } from './shards/shard.ts'
import { DAMAGED } from './storage/damage.ts'
import { walPath } from './storage/sqlite/database.ts'
import { version } from './version.ts'

/** The time limit of commits in `close`, unless the caller gives another; it fits into a 5 s stop. */
const CLOSE_MS = 3_500
/** The part of it that is left for the threads to end, however long the steps before took. */
const THREADS_END_MS = 500
const IDLE_MS = 60_000
/** The part of it that hooks have for the requests that they are processing. */
const HOOKS_DRAIN_MS = 2_000
const HOOK_TIMEOUT_MS = 2_000
const MAX_UPLOAD_BYTES = 104_857_600
const STORAGE_QUOTA_BYTES = 5 * 1024 ** 3
const MAX_GROUPS_PER_USER = 10_000
const PRESENCE_GRACE_MS = 5_000

/** The largest delay of a timer; a longer one would end at once. */
const MAX_TIMER_MS = 2_147_483_647
/** More would own no lane. */
const MAX_SHARDS = LANES

export interface EngineOptions {
  /** Folder of the database; created if it is missing. One process at a time may use it. */
  readonly dataDir: string
  /**
   * Worker threads that run the actors, 1 to 32, by default one less than the cores. Or `inline`: everything
   * on the calling thread, for tests and small embeddings.
   */
  readonly shards?: number | 'inline' | undefined
  /** When a change is acknowledged (DUR-1): at once, committed (default), or fsynced. */
  readonly durability?: Durability | undefined
  /** Whether members see a message at once (default) or once it is as durable as configured. */
  readonly fanout?: 'immediate' | 'committed' | undefined
  /** Events per minute and user, reported to clients in `connected`; the front end enforces it. */
  readonly rateLimit?: number | undefined
  /** The largest client frame in bytes, reported and enforced likewise. */
  readonly maxMessageBytes?: number | undefined
  /** The largest file in bytes, reported in `connected` and enforced here. 104,857,600 by default. */
  readonly maxUploadBytes?: number | undefined
  /**
   * The bytes that the files of one user may occupy, uploads in progress included; 0 is no limit.
   * 5,368,709,120 (5 GiB) by default.
   */
  readonly storageQuotaBytes?: number | undefined
  /** How many groups and direct chats a user may be in; 0 is no limit. 10,000 by default. */
  readonly maxGroupsPerUser?: number | undefined
  /** How long a message may be edited, in milliseconds; 0, the default, is no limit. */
  readonly editWindowMs?: number | undefined
  /**
   * What happens to a direct chat that a user opens with another user if they share no group: with
   * `open`, the default, it is delivered at once; with `request` it waits until the other accepts it; with
   * `shared` it is refused. With `closed` users open no direct chats at all, only the service does.
   */
  readonly contactPolicy?: ContactPolicy | undefined
  /** Time from the end of a user's last session until others see them offline. 5,000 ms by default. */
  readonly presenceGraceMs?: number | undefined
  /** Groups and users that were not used for this time are removed from memory. 60,000 ms by default. */
  readonly idleMs?: number | undefined
  /** Hooks of the service: moderation, bots, push notifications, permissions. */
  readonly hooks?: Hooks | undefined
  /** How long one hook may take, 2,000 ms by default; then its request is refused as `internal`. */
  readonly hookTimeoutMs?: number | undefined
  /** Receives log entries; without a logger errors go to standard error. */
  readonly logger?: EngineLogger | undefined
  /** The time of day for `inline` shards, milliseconds since 1970. */
  readonly now?: (() => number) | undefined
  /** The clock that measures durations, for `inline` shards: milliseconds that never go back. */
  readonly steadyNow?: (() => number) | undefined
  /**
   * A shard or the storage has failed permanently and the process should end; nothing acknowledged is
   * lost. By default the error is thrown as an uncaught exception.
   */
  readonly onFailure?: ((error: Error) => void) | undefined
}

const optionChecks: { readonly [N in keyof EngineOptions]-?: OptionCheck } = {
  dataDir: path,
  shards: integerOr('inline', 1, MAX_SHARDS),
  durability: oneOfWords('memory', 'process', 'disk'),
  fanout: oneOfWords('immediate', 'committed'),
  rateLimit: integer(0),
  maxMessageBytes: integer(1),
  maxUploadBytes: integer(1),
  storageQuotaBytes: integer(0),
  maxGroupsPerUser: integer(0),
  editWindowMs: integer(0),
  contactPolicy: oneOfWords('open', 'request', 'shared', 'closed'),
  presenceGraceMs: integer(0, MAX_TIMER_MS),
  idleMs: integer(0, MAX_TIMER_MS),
  hooks: methods([], ['beforeMessage', 'afterMessage', 'userOffline', 'authorize']),
  hookTimeoutMs: integer(1, MAX_TIMER_MS),
  logger: methods(['info', 'warn', 'error']),
  now: callback,
  steadyNow: callback,
  onFailure: callback,
}

/** Depths and counts of the engine, all bounded queues included. */
export interface EngineStats {
  readonly sessions: number
  readonly shards: readonly (ShardStats & ShardSide)[]
  /** Requests and notices that wait for the service's hooks. */
  readonly hooks: HooksStats
  /** How far the search index lags the log, and what it contains. */
  readonly search: IndexerStats
  /** The disk of the data folder; null if the system does not report it. */
  readonly disk: DiskFigures | null
}

/** What an engine does inside, for the dashboard of an operator. */
export interface EngineDetails {
  /** The threads besides the calling one; none with inline shards. */
  readonly threads: readonly ThreadFigures[]
  /** Size of the write-ahead log of the database; null if it cannot be read. */
  readonly walBytes: number | null
}

export interface Engine {
  /** The interface between connections and the engine. */
  readonly gateway: EngineGateway
  /** Streams the bytes of files; the engine's requests decide who may read or write them. */
  readonly files: FileAccess
  /**
   * Opens a session of a user in this process. Rejects with a `ChatError`: `bad_request` if the
   * identity is invalid, `shutting_down` after `close` was called.
   */
  connect(identity: Identity): Promise<Session>
  /**
   * Makes one request without a session, for the service: it opens direct chats for the user also where
   * `contactPolicy` is `closed`. With `asker` `user` it is a request of the user.
   * Rejects with a `ChatError` if it is refused.
   */
  request<N extends MethodRequest>(
    identity: Identity,
    name: N,
    fields: RequestFields<N>,
    asker?: 'service' | 'user',
  ): Promise<Answer<N>>
  /** Whether writes are accepted. */
  health(): Health
  stats(): Promise<EngineStats>
  /** Reads the details; a thread that hangs does not delay it. */
  details(): Promise<EngineDetails>
  /**
   * Commits everything, returns leases and ends the threads. Commits that are not done after
   * `withinMs` (3,500 by default) are abandoned. Rejects if a thread hangs; acknowledged changes are
   * stored nevertheless. Further calls return the result of the first.
   */
  close(withinMs?: number): Promise<void>
}

/**
 * Starts an engine.
 *
 * @example
 * ```ts
 * const engine = await createEngine({ dataDir: './data' })
 * const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
 * await ana.createGroup({ kind: 'group', groupId: 'team', members: ['bruno'] })
 * await ana.sendMessage({ groupId: 'team', content: 'Hello' })
 * await engine.close()
 * ```
 *
 * @throws TypeError for an unknown option or an invalid value; StorageError if the data directory
 *   cannot be used. The messages say why.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  checkEngineOptions(options)
  const shards = options.shards ?? Math.min(MAX_SHARDS, Math.max(1, availableParallelism() - 1))
  return startEngine(options, shards === 'inline' ? inlineRuntime() : workerRuntime(shards))
}

/** @throws TypeError for an unknown option or an invalid value */
export function checkEngineOptions(options: EngineOptions): void {
  checkOptions(options, optionChecks, ['dataDir'])
}

/** Starts an engine on that runtime, whatever `shards` says; the options are valid. */
export async function startEngine(options: EngineOptions, runtime: Runtime): Promise<Engine> {
  const logger = options.logger ?? errorsOnly
  const maxUploadBytes = options.maxUploadBytes ?? MAX_UPLOAD_BYTES
  const shardsOptions: ShardsOptions = {
    dataDir: options.dataDir,
    durability: options.durability ?? 'process',
    files: {
      dataDir: options.dataDir,
      maxUploadBytes,
      quotaBytes: options.storageQuotaBytes ?? STORAGE_QUOTA_BYTES,
    },
    clock: {
      now: options.now ?? machineClock.now,
      steadyNow: options.steadyNow ?? machineClock.steadyNow,
    },
    onFailure: options.onFailure ?? throwLater,
    logger,
    postNotices: requiredNotices(options.hooks),
    shard: {
      durability: options.durability ?? 'process',
      fanout: options.fanout ?? 'immediate',
      idleMs: options.idleMs ?? IDLE_MS,
      presenceGraceMs: options.presenceGraceMs ?? PRESENCE_GRACE_MS,
      rules: {
        editWindowMs: options.editWindowMs ?? 0,
        contactPolicy: options.contactPolicy ?? 'open',
        maxGroupsPerUser: options.maxGroupsPerUser ?? MAX_GROUPS_PER_USER,
      },
      greeting: {
        serverVersion: version,
        limits: {
          maxMessageBytes: options.maxMessageBytes ?? 65_536,
          maxContentBytes: limits.contentBytes,
          rateLimit: options.rateLimit ?? 0,
          resumeEvents: limits.resumeEvents,
          maxUploadBytes,
          editWindowMs: options.editWindowMs || undefined,
          recallWindowMs: limits.recallWindowMs,
        },
      },
    },
  }
  const running = await runtime.start(shardsOptions)
  const hub = new Hub(running.ports, runtime.defer, logger, { ...machineHub, after: runtime.timers.after })
  if (options.hooks) {
    hub.useHooks(options.hooks, options.hookTimeoutMs ?? HOOK_TIMEOUT_MS, options.now ?? Date.now)
  }
  running.onBatch(hub.take)
  const topics = new LocalTopics()
  const files = new DiskAccess(options.dataDir, (userId, progress) =>
    hub.sendUser(userId, encodeEvent('upload_progress', 0, progress)),
  )
  hub.addPublisher(topics)
  const disk = new DiskSpace(options.dataDir, logger)

  let closing: Promise<void> | null = null
  const close = async (withinMs: number) => {
    const endMs = performance.now() + withinMs
    const leftMs = () => Math.max(0, endMs - THREADS_END_MS - performance.now())
    await hub.stop(Math.min(HOOKS_DRAIN_MS, leftMs()))
    await hub
      .drain(leftMs())
      .catch((error: Error) => logger.error({ cause: error.message }, 'stopped unfinished'))
    await hub.endNotices(leftMs())
    hub.endSessions()
    disk.close()
    await running.close(Math.max(THREADS_END_MS, endMs - performance.now()))
  }
  return {
    gateway: hub,
    files,
    connect: (identity) => openSession(hub, topics, identity),
    async request(identity, name, fields, asker = 'service') {
      const port = new LocalPort(topics)
      const session = hub.openSilent(identity, port, asker === 'service')
      try {
        return await port.request(hub, session, name, fields)
      } finally {
        hub.closed(session)
      }
    },
    health() {
      const { silent } = running
      if (silent !== null) return { ready: false, reason: `the thread ${silent} does not answer` }
      if (running.damaged) return { ready: false, reason: DAMAGED }
      if (disk.full) return { ready: false, reason: 'the disk is almost full' }
      const health = hub.health()
      return health.ready && disk.warning !== null ? { ready: true, warning: disk.warning } : health
    },
    async stats() {
      if (closing !== null) throw new ChatError('shutting_down')
      const [stats, search] = await Promise.all([hub.stats(), running.searchStats()])
      return { ...stats, search, disk: disk.figures }
    },
    async details() {
      const wal = await stat(walPath(options.dataDir)).catch(() => null)
      return { threads: running.threads(), walBytes: wal?.size ?? null }
    },
    close(withinMs = CLOSE_MS) {
      closing ??= close(withinMs)
      return closing
    },
  }
}

export type { EngineLogger } from './base/engine-logger.ts'
export type { FileAccess } from './files/file-access.ts'
export type { Hooks } from './hooks/hooks.ts'
export type { Health } from './hub/health.ts'
export type { Session } from './hub/session.ts'
export type { ThreadFigures } from './runtime/thread-figures.ts'

function requiredNotices(hooks: Hooks | undefined): PostNotices | undefined {
  if (!hooks?.afterMessage && !hooks?.userOffline) return undefined
  return { away: hooks.userOffline !== undefined }
}

/** Without a logger of the service, errors go to standard error. */
const errorsOnly: EngineLogger = {
  info() {},
  warn() {},
  error: (fields, message) => void process.stderr.write(`tertulia: ${message} ${inspect(fields)}\n`),
}

function throwLater(error: Error): void {
  setImmediate(() => {
    throw error
  })
}
