/**
 * Changes.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function editMessage(): Effects {
  throw new ChatError('internal')
}

export function deleteMessage(): Effects {
  throw new ChatError('internal')
}

export function recallMessage(): Effects {
  throw new ChatError('internal')
}
