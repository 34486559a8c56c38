/**
 * Test engine: an engine on the calling thread, in a temporary folder, whose time only the test moves.
 *
 * Actors, SQL and the order of events are those of production. Everything that a user can notice follows
 * the clock: mutes, the recall window, typing, presence, idleness, the time limits of hooks. Commits, the
 * search index and the clean-up of the database file run in real time, because they wait for the disk.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { ChatClient } from '../client/chat-client.ts'
import type { ChatClientOptions } from '../client/options.ts'
import { checkEngineOptions, type Engine, type EngineOptions, startEngine } from '../engine/engine.ts'
import type { Identity } from '../engine/hub/gateway.ts'
import { inlineRuntime } from '../engine/runtime/inline-shards.ts'
import { ManualClock } from './manual-clock.ts'
import { MemorySocket } from './memory-socket.ts'

export interface TestEngineOptions extends Omit<EngineOptions, 'dataDir' | 'shards' | 'now' | 'steadyNow'> {
  /** A folder to keep, for tests of a restart; by default a temporary one that `close` removes. */
  readonly dataDir?: string | undefined
  /** How many shards the groups and users are divided into; all run on this thread. 1 by default. */
  readonly shards?: number | undefined
  /** The time of day at the start, milliseconds since 1970. */
  readonly startMs?: number | undefined
}

/** An engine whose time the test moves. */
export interface TestEngine extends Engine {
  readonly clock: ManualClock
  /**
   * Advances the time, from one timer to the next, and lets the engine finish after each what the timer
   * started. When it resolves, the events that are due have arrived.
   */
  advance(ms: number): Promise<void>
  /** A `ChatClient` of the user on the same clock, without a socket. It cannot upload over HTTP. */
  client(
    identity: Identity,
    options?: Omit<ChatClientOptions, 'url' | 'token' | 'clock' | 'openSocket'>,
  ): ChatClient
  /** Breaks the connections of the user's clients, as a network does; they reconnect as the time advances. */
  cut(userId: string): void
  /** Closes the clients and the engine, and removes a temporary folder. */
  close(): Promise<void>
}

/** The time of day at the start: 14 November 2023. */
const START_MS = 1_700_000_000_000
/** Turns of the event loop in which an event passes from an actor by a commit to its receivers. */
const TURNS = 4

/**
 * Starts an engine for a test.
 *
 * @example
 * ```ts
 * const engine = await startTestEngine({ presenceGraceMs: 5_000 })
 * const ana = await engine.connect({ userId: 'ana' })
 * const bruno = engine.client({ userId: 'bruno' })
 * await bruno.connect()
 * await ana.createGroup({ kind: 'group', groupId: 'team', members: ['bruno'] })
 * const seen = collect(ana, 'contact_status_changed')
 * bruno.close()
 * await engine.advance(5_000)
 * assert.equal(seen.length, 1)
 * await engine.close()
 * ```
 *
 * @throws TypeError for an unknown option or an invalid value, as `createEngine` does
 */
export async function startTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const { shards = 1, startMs = START_MS, dataDir: given, ...rest } = options
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'tertulia-test-'))
  const remove = () => {
    if (given === undefined) rmSync(dataDir, { recursive: true, force: true })
  }
  const clock = new ManualClock(startMs)
  const { now, steadyNow } = clock
  const engineOptions: EngineOptions = { ...rest, dataDir, now, steadyNow }
  let engine: Engine
  try {
    checkEngineOptions({ ...engineOptions, shards })
    engine = await startEngine(engineOptions, inlineRuntime(shards, clock))
  } catch (error) {
    remove()
    throw error
  }

  const clients: ChatClient[] = []
  const sockets = new Set<MemorySocket>()
  const openSocket = async () => {
    const socket = new MemorySocket(engine.gateway, (ended) => sockets.delete(ended))
    sockets.add(socket)
    return socket as unknown as WebSocket
  }
  const settle = async () => {
    for (let i = 0; i < TURNS; i++) await turn()
  }
  let closing: Promise<void> | null = null
  const close = async () => {
    for (const client of clients) client.close()
    clock.release()
    await engine.close().finally(remove)
  }
  return {
    gateway: engine.gateway,
    files: engine.files,
    connect: (identity) => engine.connect(identity),
    request: (identity, name, fields, asker) => engine.request(identity, name, fields, asker),
    health: () => engine.health(),
    stats: () => engine.stats(),
    details: () => engine.details(),
    clock,
    async advance(ms) {
      await settle()
      for (let leftMs = ms; ; ) {
        const stepMs = Math.min(leftMs, Math.max(0, clock.dueInMs[0] ?? leftMs))
        clock.advance(stepMs)
        await settle()
        leftMs -= stepMs
        if (leftMs <= 0 && (clock.dueInMs[0] ?? 1) > 0) return
      }
    },
    client(identity, clientOptions) {
      const client = new ChatClient({
        ...clientOptions,
        url: 'http://memory.invalid',
        token: JSON.stringify(identity),
        clock: clock.forClient,
        openSocket,
      })
      clients.push(client)
      return client
    },
    cut(userId) {
      for (const socket of sockets) if (socket.userId === userId) socket.cut()
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}
