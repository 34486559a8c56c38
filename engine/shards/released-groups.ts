/**
 * Released groups: the groups of a shard that were unloaded recently.
 *
 * An actor is released only when everything that it wrote is committed. Therefore, a group that is not
 * loaded, and was not released since a read began, is still in the state that the read returned.
 *
 * Bounded by age and by number. Reads that began before the oldest remembered release count as outdated.
 */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 50_000

export class ReleasedGroups {
  /** Time of the release by group id, the oldest first. */
  readonly #releasedAt = new Map<string, number>()
  readonly #max: number
  /** All releases after this time are remembered. */
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

  /** Whether the group may have been released at or after that time. */
  maybeSince(groupId: string, sinceMs: number): boolean {
    return (
      sinceMs <= this.#forgottenUpTo || (this.#releasedAt.get(groupId) ?? Number.NEGATIVE_INFINITY) >= sinceMs
    )
  }
}
