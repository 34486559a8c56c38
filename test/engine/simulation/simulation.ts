/**
 * Simulation: the run of one seed. Users act, connections and processes start and end, commits fail
 * and time passes, all determined by the seed. After each step the result is compared with the oracle.
 */
import type { ErrorCode } from '../../../protocol/errors.ts'
import type { Event } from '../../../protocol/events.ts'
import { checkAnswer, checkConnected } from './answers.ts'
import type { Asked } from './asked.ts'
import { nextCommand } from './commands.ts'
import { Device } from './device.ts'
import { atRest } from './invariants.ts'
import { Oracle } from './oracle.ts'
import { Random } from './random.ts'
import { checkReceived } from './received.ts'
import { brief, Trace } from './trace.ts'
import { Violation } from './violation.ts'
import { World, type WorldOptions } from './world.ts'

const names = ['ana', 'bruno', 'carla', 'davi', 'eva', 'fabio'] as const
const ACTIONS = 200
/** More than any run needs to reach rest. */
const MAX_STEPS = 5_000

const weights = {
  command: 130,
  steps: 60,
  connect: 6,
  disconnect: 4,
  resume: 4,
  time: 6,
  clock: 2,
  evict: 5,
  settle: 3,
  fail: 1,
  heal: 4,
  unreadable: 1,
  rest: 3,
  crash: 2,
  restart: 1,
} as const

/** With fronts. */
const weightsWithFronts = { ...weights, break: 8, link: 14 } as const

export class Simulation {
  readonly seed: number
  readonly #actions: number
  readonly #random: Random
  readonly #world: World
  readonly #oracle: Oracle
  readonly #devices: readonly Device[]
  readonly #users: readonly string[]
  readonly #trace = new Trace()
  /** Codes that the engine may refuse any request with since the last rest. */
  #troubles = new Set<ErrorCode>()
  #step = 0
  #resting = false
  /** The first violation found in a callback whose errors the engine catches. */
  #violation: unknown = null

  constructor(seed: number, image: Buffer, actions = ACTIONS) {
    this.seed = seed
    this.#actions = actions
    const random = new Random(seed)
    this.#random = random
    const options: WorldOptions = {
      durability: random.pick(['process', 'process', 'process', 'disk', 'memory'] as const),
      fanout: random.pick(['immediate', 'immediate', 'committed'] as const),
      presenceGraceMs: 5_000,
      editWindowMs: random.pick([0, 0, 20_000]),
      contactPolicy: random.pick(['open', 'open', 'request', 'request', 'shared', 'closed'] as const),
      commitTurns: random.pick([1, 3, 100]),
      fronts: seed % 4 < 2 ? 0 : 2,
    }
    this.#users = names.slice(0, random.between(4, 6))
    const clock = { now: () => this.#world.now, steadyNow: () => this.#world.scheduler.elapsed }
    this.#oracle = new Oracle(options, clock, this.#users)
    const guard = this.#guarded.bind(this)
    this.#world = new World(
      random,
      options,
      {
        appended: (lane, offset, entry) => guard(() => this.#oracle.appended(lane, offset, entry)),
        committed: (lane, offset) => guard(() => this.#oracle.committed(lane, offset)),
        notified: (lane, offset) => guard(() => this.#oracle.notified(lane, offset)),
      },
      image,
    )
    const watcher = {
      guarded: guard,
      answered: (device: Device, asked: Asked, answer: Event) => this.#answered(device, asked, answer),
      arrives: (device: Device, event: Event) => this.#note(() => `  ${device.label} < ${brief(event)}`),
      received: (device: Device, event: Event) => {
        if (event.ref !== 0 || event.event === 'connected') return
        checkReceived(this.#oracle, device.userId, event)
      },
    }
    const devices: Device[] = []
    const connectTo = () => random.maybe(this.#world.fronts.filter(() => random.chance(0.6))) ?? null
    const add = (userId: string) =>
      devices.push(new Device(userId, connectTo(), this.#world, this.#oracle, watcher))
    for (const userId of this.#users) {
      const count = random.pick([0, 1, 1, 2, 3])
      for (let i = 0; i < count; i++) add(userId)
    }
    if (devices.length === 0) add('ana')
    this.#devices = devices
    this.#note(`${JSON.stringify(options)}, ${devices.length} devices`)
  }

  /**
   * Runs the seed and returns a summary of the final state, which is the same for the same seed.
   * @throws Error that names the seed, the step and the last steps before it
   */
  async run(): Promise<string> {
    try {
      await this.#begin()
      for (this.#step = 1; this.#step <= this.#actions; this.#step++) {
        await this.#act()
        this.#check()
      }
      await this.#rest()
      await this.#restart()
      await this.#rest()
      const groups = this.#oracle.groupIds.map(
        (groupId) => `${groupId}:${this.#oracle.group(groupId)?.lastSeq}`,
      )
      return `${groups.join(' ')} at ${this.#world.now} after ${this.#trace.length}`
    } catch (error) {
      throw this.#trace.failure(this.seed, this.#step, error)
    } finally {
      this.#world.disk.close()
    }
  }

  /** Connects most devices and creates groups. A few seeds begin with more history than fits in memory. */
  async #begin(): Promise<void> {
    const random = this.#random
    this.#world.linkAll()
    for (const device of this.#devices) if (random.chance(0.8)) device.connect()
    await this.#rest()
    const present = this.#devices.filter(({ phase }) => phase === 'connected')
    for (const groupId of ['g1', 'g2', 'g3'].slice(0, present.length > 0 ? random.between(1, 3) : 0)) {
      const creator = random.pick(present)
      const members = this.#users.filter(() => random.chance(0.6))
      const visibility = random.pick(['open', 'private'] as const)
      creator.ask('create_group', { kind: 'group', groupId, members, visibility })
      await this.#steps_(20)
      const userId = random.maybe(members.filter((member) => member !== creator.userId))
      if (userId !== undefined) creator.ask('set_role', { groupId, userId, role: 'moderator' })
    }
    await this.#rest()
    if (!random.chance(0.04) || present.length === 0) return
    this.#note('many messages in g1')
    for (let i = 0; i < random.between(250, 600); i++) {
      random.pick(present).ask('send_message', { groupId: 'g1', content: `old ${i}`, tempId: `old${i}` })
      if (i % 16 === 0) await this.#steps_(4)
    }
    await this.#rest()
  }

  async #act(): Promise<void> {
    const random = this.#random
    const { fronts } = this.#world
    const action: keyof typeof weightsWithFronts =
      fronts.length > 0 ? random.weighted(weightsWithFronts) : random.weighted(weights)
    const device = random.pick(this.#devices)
    switch (action) {
      case 'command':
        return this.#command(device)
      case 'steps':
        return this.#steps_(random.between(1, 12))
      case 'connect':
        return this.#connect(device)
      case 'disconnect':
        this.#do(`${device.label} disconnects`, () => device.disconnect())
        return
      case 'resume':
        if (device.phase === 'connected') this.#do(`${device.label} resumes`, () => device.resume())
        return
      case 'time':
        return this.#pass(random.pick([10, 50, 1_000, 5_000, 6_000, 60_000, 300_001]))
      case 'clock':
        return this.#setClock(random.pick([-3_600_000, -61_000, -1, 61_000, 3_600_000]))
      case 'evict':
        this.#do('all idle actors are evicted', () => this.#world.evict())
        return
      case 'settle':
        this.#do('the counters catch up', () => this.#world.disk.settle())
        return
      case 'fail':
        this.#note('the disk is full')
        this.#troubles.add('storage_unavailable')
        this.#world.disk.failing = true
        return
      case 'unreadable':
        this.#note('some reads fail')
        this.#troubles.add('internal')
        this.#world.disk.failingReads = random.between(1, 3)
        return
      case 'heal':
        this.#world.disk.failing = false
        return
      case 'rest':
        return this.#rest()
      case 'crash':
        return this.#crash()
      case 'restart':
        await this.#rest()
        return this.#restart()
      case 'break': {
        const front = random.pick(fronts)
        this.#note(`the link of ${front.id} breaks`)
        return front.break()
      }
      case 'link': {
        const front = random.pick(fronts)
        this.#note(`${front.id} is linked`)
        return this.#world.link(front)
      }
    }
  }

  #connect(device: Device): void {
    if (device.phase === 'away') this.#do(`${device.label} connects`, () => device.connect())
  }

  #command(device: Device): void {
    if (device.phase !== 'connected') return this.#connect(device)
    const { event, fields } = nextCommand(this.#random, device.userId, {
      userIds: this.#users,
      groups: this.#oracle.groupIds.flatMap((groupId) => this.#oracle.group(groupId) ?? []),
      files: this.#oracle.files,
      now: this.#world.now,
    })
    this.#do(`${device.label} > ${event} ${JSON.stringify(fields)}`, () => device.ask(event, fields))
  }

  async #steps_(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#world.scheduler.advance(this.#random.below(4))
      if (!(await this.#world.step())) return
      this.#check()
    }
  }

  #pass(ms: number): void {
    this.#note(`${ms} ms pass`)
    this.#world.scheduler.advance(ms)
  }

  /** Sets the machine's clock; durations are not affected (TIM-1). */
  #setClock(byMs: number): void {
    this.#note(`the clock is set by ${byMs} ms`)
    this.#oracle.readClock()
    this.#world.scheduler.setClock(byMs)
    this.#oracle.readClock()
  }

  /** Runs until everything is at rest, and checks the whole state. */
  async #rest(): Promise<void> {
    this.#note('rest')
    this.#world.disk.failing = false
    this.#world.linkAll()
    await this.#quiet()
    this.#settled()
    for (const front of this.#world.fronts) front.sweep()
    this.#resting = true
    for (const device of this.#devices) if (this.#random.chance(0.4)) this.#askAll(device)
    await this.#quiet()
    this.#resting = false
    this.#settled()
  }

  /** Past states no longer explain any later answer. */
  #settled(): void {
    this.#oracle.quiet()
    this.#troubles = new Set()
    this.#world.disk.failingReads = 0
  }

  async #quiet(): Promise<void> {
    for (let i = 0; ; i++) {
      if (i > MAX_STEPS) throw new Violation('it does not reach rest')
      if (await this.#world.step()) {
        this.#check()
        continue
      }
      const { nextTimerInMs } = this.#world.scheduler
      if (nextTimerInMs === null) break
      this.#world.scheduler.advance(Math.max(0, nextTimerInMs))
    }
    await atRest(this.#world, this.#oracle, this.#devices)
    this.#check()
  }

  /** Sends all kinds of queries while nothing else happens. */
  #askAll(device: Device): void {
    if (device.phase !== 'connected') return
    device.ask('get_groups', {})
    device.ask('get_contacts', {})
    device.ask('get_blocked', {})
    const groupId = this.#random.maybe(device.groupIds)
    if (groupId === undefined) return
    device.ask('get_history', { groupId, limit: 200 })
    device.ask('get_members', { groupId })
    device.ask('get_online_users', { groupId })
    device.ask('get_pins', { groupId })
    const seq = this.#random.maybe([...(this.#oracle.group(groupId)?.messages.keys() ?? [])])
    if (seq !== undefined) device.ask('get_receipts', { messageId: `${groupId}:${seq}` })
  }

  async #crash(clean = false): Promise<void> {
    this.#note(clean ? 'stopped' : 'crash')
    const world = this.#world
    for (const front of world.fronts) await front.crash()
    for (const device of this.#devices) if (!device.front) device.drop()
    this.#oracle.crash(clean)
    world.crash()
    for (const device of this.#devices) if (device.front) device.continueLater()
    for (const userId of world.fronts.flatMap(({ endingUsers }) => [...endingUsers])) {
      this.#oracle.people.opening(userId)
      this.#oracle.people.closed(userId)
    }
    this.#troubles = new Set(world.disk.failing ? ['storage_unavailable'] : [])
    this.#check()
  }

  /** A clean stop, then the next process: nothing is lost, and no gap appears. */
  async #restart(): Promise<void> {
    this.#note('restart')
    this.#world.disk.failing = false
    let stopped = false
    this.#troubles.add('shutting_down')
    const stopping = this.#world.stop().then(() => {
      stopped = true
    })
    for (let i = 0; !stopped; i++) {
      if (i > MAX_STEPS) throw new Violation('it does not stop')
      if (!(await this.#world.step())) this.#world.scheduler.advance(20)
      await this.#world.settled()
      this.#check()
    }
    await stopping
    const before = JSON.stringify(
      this.#oracle.groupIds.map((groupId) => this.#oracle.group(groupId)?.lastSeq),
    )
    await this.#crash(true)
    const after = JSON.stringify(this.#oracle.groupIds.map((groupId) => this.#oracle.group(groupId)?.lastSeq))
    if (before !== after) throw new Violation(`a clean stop has lost something: ${before}, now ${after}`)
  }

  #answered({ front, label }: Device, asked: Asked, answer: Event): void {
    this.#note(() => `  ${label} < ${brief(answer)} for ${asked.request.event}`)
    if (answer.event === 'connected') return checkConnected(this.#oracle, asked, answer)
    const codes = new Set(this.#troubles)
    if (front?.refuses) codes.add(front.refuses)
    // RES-2: a front holds requests while its engine stops.
    if (front) codes.delete('shutting_down')
    checkAnswer(this.#oracle, asked, answer, { now: this.#world.now, codes, resting: this.#resting })
  }

  #do(what: string, action: () => void): void {
    this.#note(what)
    this.#guarded(action)
  }

  /** Stores a violation, because the engine would catch it. */
  #guarded(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#violation ??= error
    }
  }

  #check(): void {
    if (this.#violation) throw this.#violation
    const error = this.#world.errors[0]
    if (error !== undefined) throw new Violation(`the engine logged: ${error}`)
  }

  #note(what: string | (() => string)): void {
    this.#trace.note(`${this.#step}  +${this.#world.now % 10_000_000}`, what)
  }
}
