/**
 * Typing: who is writing at present (SPEC 5).
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function typingStart(): Effects {
  throw new ChatError('internal')
}

export function typingStop(): Effects {
  throw new ChatError('internal')
}
