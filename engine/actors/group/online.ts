/**
 * Online: which members are connected, and what they send each other directly.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function getOnlineUsers(): Effects {
  throw new ChatError('internal')
}

export function signal(): Effects {
  throw new ChatError('internal')
}
