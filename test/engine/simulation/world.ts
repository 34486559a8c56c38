/**
 * World: the whole engine in one thread, with the hub, three shards and the storage of `disk.ts`.
 *
 * Hub, shards, actors and SQL are those of production. Time, random numbers, threads and files are
 * simulated. Batches between hub and shards are queued in channels of the scheduler. A process may
 * crash or stop at any step; the next one starts from the same disk. Fronts stay.
 */
import type { ContactPolicy } from '../../../engine/actors/group-rules.ts'
import { Hub } from '../../../engine/hub/hub.ts'
import { Shard } from '../../../engine/shards/shard.ts'
import { BatchWriter } from '../../../engine/threads/batch.ts'
import { StatusWait } from '../../../server/link/status-wait.ts'
import { Disk, type DiskWatcher, UNREADABLE } from './disk.ts'
import { FakeFiles } from './fake-files.ts'
import { Front } from './front.ts'
import type { Random } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { Topics } from './topics.ts'

const SHARDS = 3
const START_MS = 1_700_000_000_000
const DRAIN_MS = 60_000
/** The time that an engine that stops gives to requests of fronts. */
const FRONTS_IDLE_MS = 2_000
const STEP_MS = 5

/** What differs between seeds. */
export interface WorldOptions {
  readonly durability: 'memory' | 'process' | 'disk'
  readonly fanout: 'immediate' | 'committed'
  readonly presenceGraceMs: number
  readonly editWindowMs: number
  readonly contactPolicy: ContactPolicy
  /** The maximum number of turns in one transaction. */
  readonly commitTurns: number
  /** The number of fronts. */
  readonly fronts: number
}

interface Process {
  readonly hub: Hub
  readonly shards: readonly Shard[]
  readonly topics: Topics
  readonly statusWait: StatusWait
}

export class World {
  readonly scheduler: Scheduler
  readonly disk: Disk
  readonly options: WorldOptions
  /** What the engine logged as an error. */
  readonly errors: string[] = []
  readonly fronts: readonly Front[]
  #process: Process
  /** Counts the processes. */
  generation = 0
  #lastId = 0

  constructor(random: Random, options: WorldOptions, watcher: DiskWatcher, image: Buffer) {
    this.options = options
    this.scheduler = new Scheduler(random, START_MS)
    this.disk = new Disk(SHARDS, this.scheduler, watcher, () => random.between(1, options.commitTurns), image)
    const onError = (message: string, fields: object) =>
      void this.errors.push(`${message} ${JSON.stringify(fields)}`)
    this.fronts = Array.from(
      { length: options.fronts },
      (_, i) => new Front(`front${i}`, random, this.scheduler, onError),
    )
    this.#process = this.#start()
  }

  get now(): number {
    return this.scheduler.now
  }

  get hub(): Hub {
    return this.#process.hub
  }

  get shards(): readonly Shard[] {
    return this.#process.shards
  }

  /** The subscriptions of the connections to the engine's process. */
  get topics(): Topics {
    return this.#process.topics
  }

  /** Runs one step, and the promises that it resolves. */
  async step(): Promise<boolean> {
    if (!this.scheduler.step()) return false
    await this.settled()
    return true
  }

  /** Resolves when all promises that can continue have done so. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.scheduler.endTurn()
  }

  /** Evicts every actor that may be unloaded. */
  evict(): void {
    for (const shard of this.shards) this.scheduler.turn(() => shard.sweep(0))
  }

  /** Makes all links that are down. */
  linkAll(): void {
    for (const front of this.fronts) this.link(front)
  }

  /** Makes the link of a front, if it is down. */
  link(front: Front): void {
    front.link(this.hub, this.#process.statusWait)
  }

  /** Ends the process at once, and starts another one. The fronts have noticed it. */
  crash(): void {
    for (const shard of this.shards) shard.close()
    this.scheduler.clear(new Set(this.fronts.map(({ id }) => id)))
    this.disk.crash()
    this.#process = this.#start()
    for (const front of this.fronts) front.engineStarted()
  }

  /** Begins a clean stop; resolves when everything is committed. */
  async stop(): Promise<void> {
    for (const front of this.fronts) front.pause()
    this.scheduler.turn(() => this.#process.statusWait.close())
    await this.#frontsAreIdle()
    for (const front of this.fronts) await front.finish()
    return this.scheduler.turn(() => this.hub.drain(DRAIN_MS))
  }

  #frontsAreIdle(): Promise<void> {
    const { scheduler, fronts } = this
    const giveUpAt = scheduler.elapsed + FRONTS_IDLE_MS
    return new Promise((resolve) => {
      const look = () => {
        if (scheduler.elapsed >= giveUpAt || fronts.every(({ isIdle }) => isIdle)) resolve()
        else scheduler.after(STEP_MS, look)
      }
      look()
    })
  }

  #start(): Process {
    this.generation += 1
    const { scheduler, disk, errors, options } = this
    const { durability, fanout, presenceGraceMs, editWindowMs, contactPolicy } = options
    const files = new FakeFiles()
    const shards: Shard[] = []
    const hub = new Hub(
      Array.from({ length: SHARDS }, (_, index) => ({
        post: (batch: Uint8Array) =>
          scheduler.enqueue(`hub>shard${index}`, () => shards[index]?.receive(batch)),
      })),
      scheduler.defer,
      {
        info() {},
        warn() {},
        error(fields, message) {
          const wanted = message === 'storage rejects writes' || JSON.stringify(fields).includes(UNREADABLE)
          if (!wanted) errors.push(`${message} ${JSON.stringify(fields)}`)
        },
      },
      { after: scheduler.after, newSessionId: () => this.#newId() },
    )
    for (let index = 0; index < SHARDS; index++) {
      const toHub = new BatchWriter(
        (batch) => scheduler.enqueue(`shard${index}>hub`, () => hub.take(index, batch)),
        scheduler.defer,
      )
      const greeting = {
        serverVersion: '1',
        limits: { maxMessageBytes: 65_536, maxContentBytes: 32_768, rateLimit: 0, resumeEvents: 10_000 },
      }
      shards.push(
        new Shard(
          {
            index,
            shards: SHARDS,
            durability,
            fanout,
            presenceGraceMs,
            greeting,
            rules: { editWindowMs, maxGroupsPerUser: 0, contactPolicy },
            idleMs: 60_000,
          },
          {
            now: () => scheduler.now,
            steadyNow: () => scheduler.elapsed,
            newId: () => this.#newId(),
            after: scheduler.after,
            toHub,
            defer: scheduler.defer,
            openLog: (listener) => disk.open(index, listener),
            views: disk.views(index),
            search: disk.search(index),
            files,
          },
        ),
      )
    }
    const topics = new Topics()
    hub.addPublisher(topics)
    const statusWait = new StatusWait(() => this.fronts.flatMap(({ waitedFor }) => waitedFor), scheduler)
    return { hub, shards, topics, statusWait }
  }

  #newId(): string {
    this.#lastId += 1
    return this.#lastId.toString(36).padStart(20, '0')
  }
}
