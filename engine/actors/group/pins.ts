/**
 * Pins.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function pinMessage(): Effects {
  throw new ChatError('internal')
}

export function unpinMessage(): Effects {
  throw new ChatError('internal')
}

export function getPins(): Effects {
  throw new ChatError('internal')
}
