/**
 * Changed groups: notifies search of commits, at the rate at which search handles them.
 *
 * One note is in flight at a time. Commits in the meantime are merged, one sequence number per
 * group, and sent with the next note. Above `MAX_GROUPS` the note only states that groups changed.
 */
import type { LogEntry } from '../stored/log-entry.ts'

/** Groups with new entries, and the newest sequence number of each. */
export interface ChangeNote {
  readonly groups: readonly (readonly [groupId: string, lastSeq: number])[]
  /** Too many groups to list: search must check all of them. */
  readonly all: boolean
}

const MAX_GROUPS = 10_000

export class ChangedGroups {
  readonly #post: (note: ChangeNote) => void
  readonly #groups = new Map<string, number>()
  #all = false
  #inFlight = false

  constructor(post: (note: ChangeNote) => void) {
    this.#post = post
  }

  /** These entries were committed. */
  readonly committed = (entries: readonly LogEntry[]): void => {
    for (const entry of entries) {
      if (entry.type === 'message') this.#groups.set(entry.message.groupId, entry.message.seq)
      else if (entry.type === 'event' && entry.target !== undefined) {
        this.#groups.set(entry.groupId, entry.seq)
      }
    }
    if (this.#groups.size > MAX_GROUPS) {
      this.#groups.clear()
      this.#all = true
    }
    this.#send()
  }

  /** Search has handled the last note. */
  handled(): void {
    this.#inFlight = false
    this.#send()
  }

  #send(): void {
    if (this.#inFlight || (this.#groups.size === 0 && !this.#all)) return
    const note: ChangeNote = { groups: [...this.#groups], all: this.#all }
    this.#groups.clear()
    this.#all = false
    this.#inFlight = true
    this.#post(note)
  }
}
