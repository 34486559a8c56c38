/**
 * Reactions.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function react(): Effects {
  throw new ChatError('internal')
}

export function unreact(): Effects {
  throw new ChatError('internal')
}
