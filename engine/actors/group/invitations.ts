/**
 * Invitations.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function inviteMember(): Effects {
  throw new ChatError('internal')
}

export function declineInvitation(): Effects {
  throw new ChatError('internal')
}
