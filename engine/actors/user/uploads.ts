/**
 * Uploads: files on their way to a group.
 */
import { ChatError } from '../../../protocol/errors.ts'
import type { Effects } from '../effects.ts'

export function uploadFile(): Effects {
  throw new ChatError('internal')
}

export function uploadBegin(): Effects {
  throw new ChatError('internal')
}

export function uploadChunk(): Effects {
  throw new ChatError('internal')
}

export function uploadEnd(): Effects {
  throw new ChatError('internal')
}
