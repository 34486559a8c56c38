/**
 * Front: the process of a front, which holds connections of devices while its link breaks and engines crash.
 *
 * The gateway and both ends of the link are those of production. The link (`link.ts`) breaks and is made again
 * when the simulation says so. Requests wait for five seconds for the next link.
 */
import type { Hub } from '../../../engine/hub/hub.ts'
import type { VisitRecord } from '../../../engine/threads/batch.ts'
import { refOf } from '../../../server/frame-ref.ts'
import { DetachedFronts } from '../../../server/link/detached-fronts.ts'
import { ToEngine, ToFront } from '../../../server/link/link-records.ts'
import { type LinkableEngine, LinkedFront } from '../../../server/link/linked-front.ts'
import { type GatewayLink, LinkedGateway } from '../../../server/link/linked-gateway.ts'
import type { StatusWait, WaitedFor } from '../../../server/link/status-wait.ts'
import { Direction } from './link.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { Topics } from './topics.ts'

const WAIT_MS = 5_000

/** A device, as its front notifies it. */
export interface Connection {
  /** A request was sent to an engine. */
  sent(ref: number): void
  /** An engine has received that the session is open. */
  opened(): void
  /** The engine has continued the session. */
  continued(): void
  /** The engine has given the session up: it ends there, while the connection stays. */
  givenUp(): void
  /** The link has broken; what was not answered is made again or refused. */
  interrupted(): void
}

/** A link, with its end at the engine. */
interface Link {
  readonly front: LinkedFront
  readonly toFront: Direction
  readonly toEngine: Direction
  /** Sessions that were opened over it. */
  readonly sessions: Set<number>
}

export class Front {
  readonly topics = new Topics()
  readonly gateway: LinkedGateway
  /** The channel of what arrives at the front, and of its timers. */
  readonly id: string
  readonly #random: Random
  readonly #scheduler: Scheduler
  readonly #onError: (message: string, fields: object) => void
  readonly #connections = new Map<number, Connection>()
  /** Sessions that ended, which an engine may still have; by number, with their users. */
  readonly #ending = new Map<number, string>()
  #link: Link | null = null
  /** Links of the engine's process that have ended, which it may not have noticed. */
  #ended: Link[] = []
  /** Those that it has noticed. */
  #left: Link[] = []
  #detached: DetachedFronts
  #cancelExpiry: () => void = () => {}
  /** Why the front refuses requests at this moment, if it does. */
  refuses: 'unavailable' | 'overloaded' | null = null

  constructor(
    id: string,
    random: Random,
    scheduler: Scheduler,
    onError: (message: string, fields: object) => void,
  ) {
    this.id = id
    this.#random = random
    this.#scheduler = scheduler
    this.#onError = onError
    this.gateway = new LinkedGateway({ steadyNow: () => scheduler.elapsed })
    this.gateway.addPublisher(this.topics)
    this.#detached = this.#noDetached()
  }

  get isLinked(): boolean {
    return this.#link !== null
  }

  /** Its end at the engine, as requests for the status of users wait for it; none without a link. */
  get waitedFor(): readonly WaitedFor[] {
    if (!this.#link) return []
    const { isComplete, hadEngine } = this.#link.front
    return [{ isComplete: isComplete || this.#detached.has(this.id), hadEngine }]
  }

  /** Whether the front sends no request any more and every one is answered. */
  get isIdle(): boolean {
    return this.#link?.front.isIdle ?? true
  }

  /** Users whose sessions have ended, which an engine may not know yet. */
  get endingUsers(): Iterable<string> {
    return this.#ending.values()
  }

  /** The session belongs to this connection. */
  add(session: number, connection: Connection): void {
    this.#connections.set(session, connection)
  }

  /** The connection is closed. */
  remove(session: number, userId: string): void {
    this.#connections.delete(session)
    this.#ending.set(session, userId)
  }

  /** Makes a link to the engine. */
  link(hub: Hub, statusWait: StatusWait): void {
    if (this.#link) return
    for (const link of this.#ended) this.#leave(link)
    this.#detached.linked(this.id)
    const front: LinkedFront = new LinkedFront({
      engine: { gateway: hub } as unknown as LinkableEngine,
      limits: undefined,
      logger: { info() {}, warn() {}, error: (fields, message) => this.#onError(message, fields) },
      push: (kind, number, id, body) => toFront.push(kind, number, id, body),
      onNotice() {},
      wasGivenUp: () => this.#detached.wasGivenUp(this.id),
      onSettled: () => this.#detached.endAll(this.id),
      statusWait,
    })
    const sessions = new Set<number>()
    const toFront = this.#direction(this.id, (kind, number, id, body) => {
      if (kind === ToFront.ended) this.#ending.delete(number)
      if (kind === ToFront.reopened) this.#connections.get(number)?.continued()
      this.gateway.take(kind, number, id, body)
    })
    const toEngine = this.#direction(`${this.id}>engine`, (kind, number, id, body) => {
      front.take(kind, number, id, body)
      if (kind !== ToEngine.open && kind !== ToEngine.reopen) return
      sessions.add(number)
      this.#connections.get(number)?.opened()
    })
    this.#link = { front, toFront, toEngine, sessions }
    this.#cancelExpiry()
    this.refuses = null
    const sent = (kind: number, number: number, body?: Uint8Array) => {
      if (kind === ToEngine.frame && body) this.#connections.get(number)?.sent(refOf(body))
    }
    const sending: GatewayLink = {
      unsentBytes: 0,
      push(kind, number, id, body) {
        sent(kind, number, body)
        toEngine.push(kind, number, id, body)
      },
      pushBody(kind, number, body) {
        sent(kind, number, body)
        return toEngine.pushBody(kind, number, body)
      },
    }
    this.#scheduler.turn(() => this.gateway.linked(sending))
  }

  /** The link breaks: each side handles some of what is in flight. The engine notices it later. */
  async break(): Promise<void> {
    const link = this.#link
    if (!link) return
    this.#link = null
    link.toFront.break()
    link.toEngine.break()
    this.#ended.push(link)
    this.#scheduler.enqueue(`${this.id}>engine`, () => this.#leave(link))
    await this.#lost()
  }

  /** The engine's process ends at once. */
  async crash(): Promise<void> {
    this.#ended = []
    this.#left = []
    const link = this.#link
    this.#link = null
    link?.toFront.break()
    if (link) await this.#lost()
  }

  /** Another process of the engine has started. */
  engineStarted(): void {
    this.#detached = this.#noDetached()
  }

  /** The engine stops: the front holds what follows. */
  pause(): void {
    this.#waitForLink()
    this.#link?.toFront.push(ToFront.pause, 0)
    this.#scheduler.endTurn()
  }

  /** The engine has stopped: everything that it has sent arrives, and its sessions end. */
  async finish(): Promise<void> {
    const link = this.#link
    this.#link = null
    if (link) {
      link.toFront.finish()
      link.toEngine.break()
      this.#detached.add(this.id, link.front)
    }
    this.#detached.close()
    this.#ended = []
    this.#left = []
    this.#scheduler.endTurn()
    if (link) await this.#lost()
  }

  /** Forgets what is not needed any more: all sessions receive all their groups. */
  sweep(): void {
    this.gateway.sweep()
  }

  /** The front has noticed that its link has ended. */
  async #lost(): Promise<void> {
    // The gateway sends what arrived together at the end of a turn.
    await Promise.resolve()
    this.#waitForLink()
    this.refuses = 'unavailable'
    this.gateway.broken()
    this.refuses = null
    for (const connection of [...this.#connections.values()]) connection.interrupted()
    this.#scheduler.endTurn()
  }

  #waitForLink(): void {
    this.#cancelExpiry()
    let isCancelled = false
    const expire = () => {
      if (isCancelled) return
      this.refuses = 'overloaded'
      this.gateway.expire()
    }
    const cancel = this.#scheduler.after(WAIT_MS, expire, this.id)
    this.#cancelExpiry = () => {
      // It may be due.
      isCancelled = true
      cancel()
    }
  }

  /** The engine notices that the link has ended. */
  #leave(link: Link): void {
    if (!this.#ended.includes(link)) return
    this.#ended = this.#ended.filter((one) => one !== link)
    this.#left.push(link)
    this.#detached.add(this.id, link.front)
  }

  #noDetached(): DetachedFronts {
    return new DetachedFronts({
      after: (delayMs, then) =>
        this.#scheduler.after(delayMs, () => {
          then()
          this.#giveUp()
        }),
    })
  }

  /** The engine did not wait longer for the front. */
  #giveUp(): void {
    const links = [this.#link, ...this.#ended, ...this.#left].flatMap((link) => link ?? [])
    const isOpen = (number: number) =>
      links.some(({ front, sessions }) => front.sessions > 0 && sessions.has(number))
    for (const [number, connection] of this.#connections) if (!isOpen(number)) connection.givenUp()
  }

  #direction(channel: string, visit: VisitRecord): Direction {
    return new Direction(this.#random, this.#scheduler, channel, visit)
  }
}
