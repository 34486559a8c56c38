/**
 * Fleet: the other fronts of the same engine, as one front sees them.
 *
 * Fronts that share a port are one server for its clients and operators: a request for statistics reaches any of
 * them. So a front asks the others and waits at most `ANSWER_WITHIN_MS`. Failed authentications are reported to
 * the engine's process, which counts those of all fronts and says which addresses are blocked.
 */
import type { ConnectionFigures } from '../admin/user-connections.ts'
import type { FrontStats, ServerStats } from '../metrics/server-stats.ts'
import type { FromFront, Question, ToFronts } from './fleet-notices.ts'
import { frontSocket } from './socket-path.ts'

export interface FleetOptions {
  /** From 1; 0 for a front that does not share its port. */
  readonly number: number
  /** The process id. */
  readonly id: number
  /** The data folder, where fronts that share a port have their sockets. */
  readonly folder: string
}

/** The link to the engine. */
export interface FleetLink {
  notify(notice: FromFront): void
  onNotice(listener: (notice: unknown) => void): () => void
}

/** What this front answers, and the addresses that it blocks. */
export interface OwnFront {
  readonly guard: { block(address: string, forMs: number): void }
  readonly stats: () => Promise<ServerStats>
  readonly connections: {
    list(userId: string): readonly ConnectionFigures[]
    end(userId: string, id: number | null, by: string): number
  }
}

const ANSWER_WITHIN_MS = 1_000

interface Waiting {
  readonly values: unknown[]
  expected: number
  readonly done: () => void
}

export class Fleet {
  /** Of this front; 0 if it does not share its port. */
  readonly number: number
  readonly #link: FleetLink
  readonly #options: FleetOptions
  readonly #waiting = new Map<number, Waiting>()
  #own: OwnFront | null = null
  #lastAsked = 0
  #hasLeft = false

  constructor(link: FleetLink, options: FleetOptions) {
    this.#link = link
    this.#options = options
    this.number = options.number
    link.onNotice((notice) => this.#take(notice as ToFronts))
  }

  /** Of this process, also while another one replaces it. */
  get id(): number {
    return this.#options.id
  }

  /** Where the front with that id receives what other fronts pass on. */
  socketOf(id: number): string {
    return frontSocket(this.#options.folder, id)
  }

  /** From now on this front answers the others. */
  join(own: OwnFront): void {
    this.#own = own
  }

  /** This front is being replaced: its statistics are those of its successor. */
  leave(): void {
    this.#hasLeft = true
  }

  /** An authentication has failed here. */
  readonly attemptFailed = (address: string): void => {
    this.#link.notify({ kind: 'failed', address })
  }

  /** The statistics of all fronts that share the port, this one first. */
  async stats(): Promise<readonly FrontStats[]> {
    const own = { front: this.number, stats: await this.#required.stats() }
    if (this.number === 0) return [own]
    const others = (await this.#ask({ what: 'stats' })) as readonly (FrontStats | null)[]
    const found = new Map([[own.front, own]])
    for (const other of others) if (other && !found.has(other.front)) found.set(other.front, other)
    return [...found.values()]
  }

  /** The connections of a user to all fronts. */
  async list(userId: string): Promise<readonly ConnectionFigures[]> {
    const others = await this.#ask({ what: 'connections', userId })
    const found = others.filter((other) => other !== null) as ConnectionFigures[][]
    return [...this.#required.connections.list(userId), ...found.flat()]
  }

  /** Ends connections of a user to any front. Returns their number. */
  async end(userId: string, id: number | null, by: string): Promise<number> {
    const others = await this.#ask({ what: 'end', userId, id, by })
    return (others as number[]).reduce(
      (sum, ended) => sum + ended,
      this.#required.connections.end(userId, id, by),
    )
  }

  get #required(): OwnFront {
    if (!this.#own) throw new Error('the front has not joined')
    return this.#own
  }

  async #ask(question: Question): Promise<readonly unknown[]> {
    this.#lastAsked += 1
    const number = this.#lastAsked
    const values: unknown[] = []
    await new Promise<void>((done) => {
      this.#waiting.set(number, { values, expected: Number.POSITIVE_INFINITY, done })
      setTimeout(done, ANSWER_WITHIN_MS).unref()
      this.#link.notify({ kind: 'ask', number, question })
    })
    this.#waiting.delete(number)
    return values
  }

  #take(notice: ToFronts): void {
    switch (notice.kind) {
      case 'blocked':
        this.#own?.guard.block(notice.address, notice.forMs)
        return
      case 'asked':
      case 'answer': {
        const waiting = this.#waiting.get(notice.number)
        if (!waiting) return
        if (notice.kind === 'asked') waiting.expected = notice.fronts
        else waiting.values.push(notice.value)
        if (waiting.values.length >= waiting.expected) waiting.done()
        return
      }
      case 'ask': {
        const { from: to, number, question } = notice
        const answer = (value: unknown) => this.#link.notify({ kind: 'answer', to, number, value })
        this.#answer(question).then(answer, () => answer(null))
        return
      }
    }
  }

  async #answer(question: Question): Promise<unknown> {
    const { stats, connections } = this.#required
    switch (question.what) {
      case 'stats':
        return this.#hasLeft || this.number === 0 ? null : { front: this.number, stats: await stats() }
      case 'connections':
        return connections.list(question.userId)
      case 'end':
        return connections.end(question.userId, question.id, question.by)
    }
  }
}
