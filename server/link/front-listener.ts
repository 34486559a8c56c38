/**
 * Front listener: the engine's side of all links. Accepts fronts, which have the key, and serves each of
 * them by a `LinkedFront`.
 *
 * A front whose link breaks connects again under the same id. Its sessions stay until it has opened them
 * again (`DetachedFronts`). Bounded: `MAX_NEWCOMERS` sockets
 * that are not authenticated yet; each has a deadline and holds next to nothing.
 */
import type { Socket } from 'node:net'
import { machineTimers, startTimer, type Timers } from '../../engine/threads/timer.ts'
import type { ServerLogger } from '../logger.ts'
import { DetachedFronts } from './detached-fronts.ts'
import { acceptFront } from './handshake.ts'
import { Link } from './link.ts'
import { type ListenTls, listenAt } from './link-address.ts'
import { ToFront } from './link-records.ts'
import { type LinkableEngine, LinkedFront } from './linked-front.ts'
import { packed } from './packed.ts'
import type { SessionLimits } from './session-limits.ts'
import { StatusWait } from './status-wait.ts'

const MAX_NEWCOMERS = 64
/** The time that `close` gives to requests under way. */
const DRAIN_MS = 2_000
const DRAIN_STEP_MS = 5

export interface FrontListenerOptions {
  /** `unix:/path`, `tcp://host:port` or `tls://host:port`. */
  readonly address: string
  /** Shared by the engine and its fronts; at least 32 characters. */
  readonly key: string
  /** For `tls://`. */
  readonly tls?: ListenTls | undefined
  readonly logger: ServerLogger
  /** Decides about the sessions and requests of all fronts. */
  readonly limits?: SessionLimits | undefined
  /** Receives what `LinkedEngine.notify` sends. */
  readonly onNotice?: ((from: FrontLink, notice: unknown) => void) | undefined
  readonly timers?: Timers | undefined
  /** Bytes that may wait for a front that does not read; then its link is ended. 64 MiB by default. */
  readonly maxUnsentBytes?: number | undefined
}

/** A front that is linked now. */
export interface FrontLink {
  readonly id: string
  /** The version of its package. */
  readonly version: string
  readonly sessions: number
  /** Sends a small value to the front; dropped if its link has ended. */
  notify(notice: unknown): void
}

export interface FrontListener {
  /** The address with the real port. */
  readonly address: string
  readonly fronts: Iterable<FrontLink>
  /**
   * Accepts no more requests, sends the answers of those under way for at most 2 seconds, and ends the links.
   * The fronts hold their connections and connect to the next engine.
   */
  close(): Promise<void>
}

interface Linked extends FrontLink {
  readonly link: Link
  readonly front: LinkedFront
}

/**
 * Listens for fronts.
 * @throws LinkError if the address is invalid, in use or cannot be used
 */
export async function listenForFronts(
  engine: LinkableEngine,
  options: FrontListenerOptions,
): Promise<FrontListener> {
  const { key, logger, timers = machineTimers } = options
  const fronts = new Map<string, Linked>()
  const newcomers = new Set<Socket>()
  const detached = new DetachedFronts(timers)
  // Users whose sessions are detached count as connected.
  const isComplete = ({ id, front }: Linked) => front.isComplete || detached.has(id)
  const statusWait = new StatusWait(
    () =>
      Array.from(fronts.values(), (one) => ({ isComplete: isComplete(one), hadEngine: one.front.hadEngine })),
    timers,
  )
  let closing: Promise<void> | null = null

  const accept = async (socket: Socket): Promise<void> => {
    if (closing || newcomers.size >= MAX_NEWCOMERS) {
      socket.on('error', () => {}).destroy()
      return
    }
    newcomers.add(socket)
    try {
      const { front, version } = await acceptFront(socket, { key, after: timers.after })
      if (!closing) join(socket, front, version)
      else socket.destroy()
    } catch (error) {
      logger.warn({ cause: (error as Error).message }, 'a link was refused')
    } finally {
      newcomers.delete(socket)
    }
  }

  const join = (socket: Socket, id: string, version: string): void => {
    // The front has given the older link up.
    leave(fronts.get(id), 'the front has connected again')
    const front = new LinkedFront({
      engine,
      limits: options.limits,
      logger,
      push: (kind, number, record, body) => link.push(kind, number, record, body),
      onNotice: (notice) => options.onNotice?.(linked, notice),
      wasGivenUp: () => detached.wasGivenUp(id),
      onSettled: () => detached.endAll(id),
      statusWait,
    })
    const link = new Link(socket, {
      timers,
      maxUnsentBytes: options.maxUnsentBytes,
      visit: (kind, number, record, body) => front.take(kind, number, record, body),
      heartbeat: () => packed(engine.health()),
      onEnd: (why, isFault) => {
        if (fronts.get(id) !== linked) return
        leave(linked, why)
        if (isFault || front.isLeaving) front.end()
      },
    })
    const linked: Linked = {
      id,
      version,
      link,
      front,
      get sessions() {
        return front.sessions
      },
      notify: (notice) => link.push(ToFront.notice, 0, undefined, packed(notice)),
    }
    fronts.set(id, linked)
    detached.linked(id)
    logger.info({ front: id, version }, 'a front is linked')
  }

  const leave = (linked: Linked | undefined, why: string): void => {
    if (!linked || fronts.get(linked.id) !== linked) return
    fronts.delete(linked.id)
    linked.link.end(why)
    detached.add(linked.id, linked.front)
    statusWait.check()
    logger.warn({ front: linked.id, why }, 'the link of a front has ended')
  }

  const { server, address } = await listenAt(options.address, options.tls, (socket) => void accept(socket))
  return {
    address,
    get fronts() {
      return fronts.values()
    },
    close() {
      closing ??= stop()
      return closing
    },
  }

  async function stop(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of newcomers) socket.destroy()
    const linked = [...fronts.values()]
    for (const { link } of linked) link.push(ToFront.pause, 0)
    statusWait.close()
    for (let left = DRAIN_MS; left > 0; left -= DRAIN_STEP_MS) {
      if (linked.every(({ front, link }) => front.isIdle || link.ended)) break
      await new Promise<void>((resolve) => startTimer(DRAIN_STEP_MS, resolve))
    }
    await Promise.all(linked.map(({ link }) => link.finish()))
    fronts.clear()
    for (const { id, front } of linked) detached.add(id, front)
    detached.close()
    await closed
  }
}
