/**
 * What the composer has besides its text: files and voice messages.
 */
import type { GroupHandle } from '../../client/store/types.ts'

interface ComposerToolsProps {
  readonly handle: GroupHandle
  /** The message that is answered. */
  readonly replyToId: string | undefined
  /** After something was sent: it answers no longer. */
  readonly onSent: () => void
}

export function ComposerTools(_: ComposerToolsProps) {
  return null
}

/** Sends files that were pasted or dropped. */
export function sendFiles(handle: GroupHandle, files: readonly File[], replyToId: string | undefined): void {
  for (const file of files) handle.send({ content: '', replyToId, file: { blob: file, fileName: file.name } })
}
