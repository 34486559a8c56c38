/**
 * Released groups: which groups of a shard left memory a short while ago.
 *
 * An actor is released only when all that it wrote is committed. So a group that is not loaded, and
 * was not released since a read began, is in storage as that read found it.
 *
 * Bounded: by age and by number. What began before the oldest release that is remembered counts as
 * changed.
 */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 50_000

export class ReleasedGroups {
  /** By id, the time of the release; the oldest first. */
  readonly #releasedAt = new Map<string, number>()
  readonly #max: number
  /** All later releases are remembered. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY

  constructor(max = MAX_REMEMBERED) {
    this.#max = max
  }

  get size(): number {
    return this.#releasedAt.size
  }

  add(groupId: string, nowMs: number): void {
    this.#releasedAt.delete(groupId)
    this.#releasedAt.set(groupId, nowMs)
    for (const [id, atMs] of this.#releasedAt) {
      if (this.#releasedAt.size <= this.#max && nowMs - atMs < REMEMBERED_MS) break
      this.#releasedAt.delete(id)
      this.#forgottenUpTo = atMs
    }
  }

  /** Whether it may have been released at or after that time. */
  maybeSince(groupId: string, sinceMs: number): boolean {
    return (
      sinceMs <= this.#forgottenUpTo || (this.#releasedAt.get(groupId) ?? Number.NEGATIVE_INFINITY) >= sinceMs
    )
  }
}
