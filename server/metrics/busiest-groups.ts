/**
 * Busiest groups: which groups the messages of the last 10 to 20 seconds belong to.
 *
 * Exists only while a dashboard is open: a message costs one lookup then, and nothing otherwise.
 * Bounded: two windows of at most `MAX_GROUPS` groups. When a window is full, further groups are not
 * counted until the next one; a busy group posts early in a window, so it is counted.
 */

const WINDOW_MS = 10_000
const MAX_GROUPS = 10_000
/** A dashboard reads once a second; a page in the background may read more rarely. */
const UNWANTED_AFTER_MS = 15_000
const GROUP_TOPIC = 'g:'

export interface BusyGroup {
  readonly groupId: string
  readonly messages: number
}

/** The busiest groups, the busiest first, and the time that the counts cover. */
export interface BusiestFigures {
  readonly overMs: number
  readonly groups: readonly BusyGroup[]
}

export class BusiestGroups {
  #current = new Map<string, number>()
  #previous = new Map<string, number>()
  #currentFromMs: number
  #previousFromMs: number
  #wantedAtMs: number

  constructor(nowMs: number) {
    this.#currentFromMs = nowMs
    this.#previousFromMs = nowMs
    this.#wantedAtMs = nowMs
  }

  /** A dashboard wants the figures. */
  wanted(nowMs: number): void {
    this.#wantedAtMs = nowMs
  }

  /** Whether no dashboard has wanted them for some seconds. */
  isUnwanted(nowMs: number): boolean {
    return nowMs - this.#wantedAtMs > UNWANTED_AFTER_MS
  }

  /** A message is published to the topic of its group. */
  count(topic: string): void {
    const before = this.#current.get(topic)
    if (before !== undefined) this.#current.set(topic, before + 1)
    else if (this.#current.size < MAX_GROUPS) this.#current.set(topic, 1)
  }

  /** The `limit` busiest groups. */
  figures(nowMs: number, limit: number): BusiestFigures {
    if (nowMs - this.#currentFromMs >= WINDOW_MS) {
      this.#previous = this.#current
      this.#previousFromMs = this.#currentFromMs
      this.#current = new Map()
      this.#currentFromMs = nowMs
    }
    const sums = new Map(this.#previous)
    for (const [topic, messages] of this.#current) sums.set(topic, (sums.get(topic) ?? 0) + messages)
    const groups = [...sums]
      .filter(([topic]) => topic.startsWith(GROUP_TOPIC))
      .map(([topic, messages]) => ({ groupId: topic.slice(GROUP_TOPIC.length), messages }))
      .sort((one, other) => other.messages - one.messages)
      .slice(0, limit)
    return { overMs: nowMs - this.#previousFromMs, groups }
  }
}
