/**
 * Receipts: who got and who read which message (SPEC 5).
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function messageDelivered(): Effects {
  throw new ChatError('internal')
}

export function messageRead(): Effects {
  throw new ChatError('internal')
}

export function getReceipts(): Effects {
  throw new ChatError('internal')
}
