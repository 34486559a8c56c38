/**
 * Status: how a user wants to be seen, over all devices (SPEC 5).
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function updateStatus(): Effects {
  throw new ChatError('internal')
}
