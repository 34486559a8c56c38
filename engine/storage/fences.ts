/**
 * Fences: which entries of a batch are left out because an earlier one of their owner was refused.
 *
 * After a refused entry, a group's actor has a state that the log does not contain, and its later entries
 * are based on that state. Therefore, all of them are left out: from the first entry of the turn with the
 * refused one (what one handler wrote is stored or lost together) up to the `restart` that the shard
 * appends once it has unloaded the actor. Entries of a user are independent: only those of the turn are
 * left out. Bounded by the groups that are restarting, which are loaded actors.
 */
import { isGroupOwner, ownerOf } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'

/** What one shard appended to one lane in one turn. */
export interface Turn<S> {
  readonly source: S
  readonly lane: number
  readonly entries: readonly LogEntry[]
}

/** An owner whose entries are left out from a turn on, and the reason. */
export interface Refusal<S> {
  readonly turn: Turn<S>
  readonly owner: string
  readonly reason: string
}

/** Groups whose entries are left out, with the shard that must restart them. */
export type Fences<S> = ReadonlyMap<string, S>

/** The entries to apply, and the fences after they are committed. */
export function admit<S>(
  turns: readonly Turn<S>[],
  refusals: readonly Refusal<S>[],
  fences: Fences<S>,
): { readonly entries: readonly LogEntry[]; readonly fences: Fences<S> } {
  if (refusals.length === 0 && fences.size === 0) {
    const [only] = turns
    return {
      entries: turns.length === 1 && only ? only.entries : turns.flatMap(({ entries }) => entries),
      fences,
    }
  }
  const entries: LogEntry[] = []
  const after = new Map(fences)
  for (const turn of turns) {
    const refused = new Set(refusals.filter((one) => one.turn === turn).map(({ owner }) => owner))
    for (const owner of refused) if (isGroupOwner(owner)) after.set(owner, turn.source)
    for (const entry of turn.entries) {
      const owner = ownerOf(entry)
      if (entry.type === 'restart') after.delete(owner)
      else if (!refused.has(owner) && !after.has(owner)) entries.push(entry)
    }
  }
  return { entries, fences: after }
}
