/**
 * Moderation.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function banMember(): Effects {
  throw new ChatError('internal')
}

export function getMembers(): Effects {
  throw new ChatError('internal')
}

export function muteGroup(): Effects {
  throw new ChatError('internal')
}

export function muteMember(): Effects {
  throw new ChatError('internal')
}

export function setRole(): Effects {
  throw new ChatError('internal')
}

export function updateGroup(): Effects {
  throw new ChatError('internal')
}
