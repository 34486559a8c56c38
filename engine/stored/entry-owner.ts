/**
 * Entry owner: the group or the user that a log entry belongs to. A refused entry affects its owner only.
 */
import { laneOf } from '../base/partition.ts'
import type { LogEntry } from './log-entry.ts'

/** Whose entry it is: a group by its id, a user as `user:<id>`, which no group id looks like. */
export function ownerOf(entry: LogEntry): string {
  switch (entry.type) {
    case 'message':
    case 'change':
      return entry.message.groupId
    case 'group':
      return entry.group.groupId
    case 'event':
    case 'member':
    case 'member_left':
    case 'former_member':
    case 'former_member_back':
    case 'ban':
    case 'unban':
    case 'invite':
    case 'uninvite':
    case 'receipts':
    case 'file':
    case 'lease':
    case 'restart':
      return entry.groupId
    case 'user':
    case 'presence':
    case 'block':
    case 'unblock':
      return userOwner(entry.userId)
  }
}

/** The owner of a user's entries. */
export function userOwner(userId: string): string {
  return `user:${userId}`
}

/** Whether an owner is a group. */
export function isGroupOwner(owner: string): boolean {
  return !owner.startsWith('user:')
}

/** The lane of an owner's entries. */
export function laneOfOwner(owner: string): number {
  return laneOf(isGroupOwner(owner) ? owner : owner.slice('user:'.length))
}
