/**
 * Search: messages and people, of the groups that the user is in.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function search(): Effects {
  throw new ChatError('internal')
}

export function searchUsers(): Effects {
  throw new ChatError('internal')
}

export function getContacts(): Effects {
  throw new ChatError('internal')
}
