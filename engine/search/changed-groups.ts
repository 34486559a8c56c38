/**
 * Changed groups: what the writer tells search, and no more often than search wants to hear.
 *
 * One note is under way at a time; what is committed meanwhile gathers, a number a group, and
 * leaves with the next. Above `MAX_GROUPS` the note only says that there is something.
 */
import type { LogEntry } from '../storage/log.ts'

/** Groups that have news, and the newest number of each. */
export interface ChangeNote {
  readonly groups: readonly (readonly [groupId: string, lastSeq: number])[]
  /** Too many to name: look at all. */
  readonly all: boolean
}

const MAX_GROUPS = 10_000

export class ChangedGroups {
  readonly #post: (note: ChangeNote) => void
  readonly #groups = new Map<string, number>()
  #all = false
  #underWay = false

  constructor(post: (note: ChangeNote) => void) {
    this.#post = post
  }

  /** These entries were committed. */
  committed(entries: readonly LogEntry[]): void {
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

  /** The last note was read. */
  taken(): void {
    this.#underWay = false
    this.#send()
  }

  #send(): void {
    if (this.#underWay || (this.#groups.size === 0 && !this.#all)) return
    const note: ChangeNote = { groups: [...this.#groups], all: this.#all }
    this.#groups.clear()
    this.#all = false
    this.#underWay = true
    this.#post(note)
  }
}
