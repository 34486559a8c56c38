/**
 * An engine that a test replaces, and fronts whose links it breaks: everything in this process, with real
 * sockets and files.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Engine, EngineOptions } from '../../../engine/engine.ts'
import type { Timers } from '../../../engine/threads/timer.ts'
import type { FrontListener } from '../../../server/link/front-listener.ts'
import type { ConnectOptions, LinkedEngine } from '../../../server/link/linked-engine.ts'
import { type StartEngine, startInline, temporaryFolder } from '../../support/engines.ts'
import { TcpProxy } from '../../support/tcp-proxy.ts'
import { connect, listen, memoryLog, TestFront } from './harness.ts'

const LOCAL = 'tcp://127.0.0.1:0'

/** A front, and the network between it and its engine. */
export interface LinkedTestFront {
  readonly front: TestFront
  readonly linked: LinkedEngine
  readonly proxy: TcpProxy
}

export class World {
  engine!: Engine
  readonly log = memoryLog()
  readonly #options: Partial<EngineOptions>
  readonly #start: StartEngine
  readonly #timers: Timers | undefined
  readonly #fronts: LinkedTestFront[] = []
  #listener!: FrontListener
  #dataDir = temporaryFolder()

  private constructor(options: Partial<EngineOptions>, start: StartEngine, timers?: Timers) {
    this.#options = options
    this.#start = start
    this.#timers = timers
  }

  /** `timers` are those of the engine's end of the links. */
  static async start(
    options: Partial<EngineOptions> = {},
    start = startInline,
    timers?: Timers,
  ): Promise<World> {
    const world = new World(options, start, timers)
    await world.#run()
    return world
  }

  async front(options: Partial<ConnectOptions> = {}): Promise<LinkedTestFront> {
    const proxy = await TcpProxy.start(this.port)
    const linked = await connect(`tcp://127.0.0.1:${proxy.port}`, options)
    const one = { front: new TestFront(linked), linked, proxy }
    this.#fronts.push(one)
    return one
  }

  /** Ends the engine as `kill -9` would, with what is on the disk now, and starts the next one on that. */
  async crash(): Promise<void> {
    this.stop()
    await this.restart()
  }

  /** What is on the disk now: the next engine starts with it, if one is started after a crash at this moment. */
  image(): string {
    const image = temporaryFolder()
    for (const file of ['tertulia.db', 'tertulia.db-wal']) {
      copyFileSync(join(this.#dataDir, file), join(image, file))
    }
    return image
  }

  /** The first half of `crash`: no engine can be reached until `restart`. */
  stop(image = this.image()): void {
    this.#dataDir = image
    for (const { proxy } of this.#fronts) {
      proxy.target = 1
      proxy.cut()
    }
  }

  async restart(): Promise<void> {
    await this.#run()
    for (const { proxy } of this.#fronts) proxy.target = this.port
  }

  /** A clean stop, and the next engine. */
  async replace(): Promise<void> {
    await this.#listener.close()
    await this.engine.close()
    await this.restart()
  }

  async #run(): Promise<void> {
    this.engine = await this.#start({ logger: this.log, ...this.#options, dataDir: this.#dataDir })
    this.#listener = await listen(this.engine, { address: LOCAL, timers: this.#timers })
    const { engine } = this
    onTestFinished(() => engine.close())
  }

  /** The port at which the engine listens for fronts. */
  get port(): number {
    return Number(this.#listener.address.split(':').at(-1))
  }
}
