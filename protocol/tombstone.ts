/**
 * Tombstone: what remains of a deleted or recalled message, in the server and in what clients show (PRV-3).
 */
import type { Message } from './records.ts'

/** The message without its content: its number, its sender and its time. */
export function tombstone(message: Message): Message {
  return {
    ...message,
    content: '',
    file: undefined,
    mentions: undefined,
    editedAt: undefined,
    reactions: undefined,
    pinnedAt: undefined,
  }
}
