/**
 * Files: those of a group, and who may have them.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function getFile(): Effects {
  throw new ChatError('internal')
}
