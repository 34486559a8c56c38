/**
 * Recorded: what a group's state learns about its own events once they are in the log.
 *
 * The ledger appends an event and notifies the group, in the order of the events. The offsets are those
 * of the log: what is committed may be removed from memory, because reads find it in storage.
 */
import type { PostChange } from '../actor-context.ts'
import type { GroupState } from './group-state.ts'

/** A change of a post was appended at `offset`. `isReading`: a read of the group is under way. */
export function postChanged(
  { changed, recent, publishedSeq }: GroupState,
  { seq, before, message }: PostChange,
  offset: number,
  committedOffset: number,
  isReading: boolean,
): void {
  changed.set(message, before, seq, offset, publishedSeq)
  // A read that began earlier may still return the old version.
  if (!isReading) changed.tidy(committedOffset, publishedSeq, (left) => recent.replace(left))
}
