/**
 * Open groups: the groups that an import adds records to, with their positions in memory.
 *
 * At most `MAX_OPEN_GROUPS` before a part of the file; then all are closed, and read again when they are needed.
 */
import type { GroupPosition, ImportedRows } from '../../engine/storage/sqlite/imported-rows.ts'
import type { ImportBatch } from './import-batch.ts'
import { lineError } from './import-error.ts'
import type { MessageRecord } from './import-record.ts'

const MAX_OPEN_GROUPS = 10_000

/** A group that records are added to. */
export interface OpenGroup extends Pick<GroupPosition, 'key' | 'groupId' | 'kind' | 'createdAt'> {
  /** Its id in the file. */
  readonly oldId: string
  memberCount: number
  lastSeq: number
  lastAt: number
  pins: number
  /** Numbers up to here may have been assigned before a crash. */
  readonly ceiling: number
  /** Whether something was imported into it since it was opened. */
  touched: boolean
  /** Messages that are not written yet. */
  waiting: MessageRecord[]
}

export class OpenGroups {
  readonly #rows: ImportedRows
  readonly #batch: ImportBatch
  /** The time of gaps. */
  readonly #now: number
  /** Writes what waits for any group: the tables then have the position of each. */
  readonly #flush: () => void
  readonly #byOldId = new Map<string, OpenGroup>()
  readonly #byKey = new Map<number, OpenGroup>()

  constructor(rows: ImportedRows, batch: ImportBatch, now: number, flush: () => void) {
    this.#rows = rows
    this.#batch = batch
    this.#now = now
    this.#flush = flush
  }

  /** The group of a record. @throws ImportError if there is none */
  require(record: string, oldId: string, line: number): OpenGroup {
    const group = this.find(oldId)
    if (!group) {
      throw lineError(line, `${record}: there is no group ${oldId}; its line must be before its members`)
    }
    return group
  }

  find(oldId: string): OpenGroup | undefined {
    const open = this.#byOldId.get(oldId)
    if (open) return open
    this.#flush()
    const stored = this.#rows.group(oldId)
    return stored && this.open(oldId, stored)
  }

  open(oldId: string, position: GroupPosition): OpenGroup {
    const { key, groupId, kind, createdAt, memberCount, lastSeq, activeAt } = position
    // A direct chat may have several ids in the file.
    const known = this.#byKey.get(key)
    if (known) {
      this.#byOldId.set(oldId, known)
      return known
    }
    const open: OpenGroup = {
      oldId,
      key,
      groupId,
      kind,
      createdAt,
      memberCount,
      lastSeq,
      lastAt: activeAt,
      pins: this.#rows.pins(key),
      ceiling: this.#rows.ceiling(groupId),
      touched: false,
      waiting: [],
    }
    this.#byOldId.set(oldId, open)
    this.#byKey.set(key, open)
    return open
  }

  /** Assigns the next number. Numbers that a crash has left in doubt are reported first. GAP-1 */
  nextSeq(group: OpenGroup): number {
    const { oldId, key, groupId, lastSeq, ceiling } = group
    const next = nextOf(group)
    if (!group.touched) this.#rows.touch(oldId, key, lastSeq)
    group.touched = true
    if (next > lastSeq + 1) {
      const gap = { groupId, seq: next - 1, from: lastSeq + 1, to: ceiling }
      this.#batch.event(groupId, next - 1, this.#now, 'gap', gap)
    }
    group.lastSeq = next
    return next
  }

  /** Closes all groups if there are too many. */
  limit(): void {
    if (this.#byOldId.size > MAX_OPEN_GROUPS) this.forget()
  }

  forget(): void {
    this.#byOldId.clear()
    this.#byKey.clear()
  }
}

/** The next number of the group: after a crash, above those in doubt and the number of their `gap`. */
export function nextOf({ lastSeq, ceiling }: OpenGroup): number {
  return ceiling > lastSeq ? ceiling + 2 : lastSeq + 1
}
