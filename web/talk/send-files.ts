/**
 * Send files: one message for each file, in their order; the text belongs to the last one.
 */
import type { GroupHandle, NewMessage } from '../../client/store/types.ts'
import { measureMedia } from './media-size.ts'
import { addPreview } from './talk-state.ts'

export interface FilesToSend {
  readonly files: readonly File[]
  readonly text?: string | undefined
  readonly replyToId?: string | undefined
}

export async function sendFilesNow(handle: GroupHandle, { files, text = '', replyToId }: FilesToSend) {
  // All are measured before the first is sent: a message that is written meanwhile does not come between.
  const sizes = await Promise.all(files.map(measureMedia))
  const { draft = '', draftMode = null } = handle.info.getSnapshot() ?? {}
  for (const [i, file] of files.entries()) {
    const type = typeOf(file)
    const content = i === files.length - 1 ? text : ''
    const key = handle.send({
      type,
      content,
      replyToId: i === 0 ? replyToId : undefined,
      file: { blob: file, fileName: file.name || 'file', ...sizes[i] },
    })
    if (type !== 'file') addPreview(key, URL.createObjectURL(file))
  }
  // It was not sent.
  handle.setDraft(draft, draftMode)
}

/** What a message with the file is. An SVG is a file: it may contain programs. */
function typeOf({ type }: File): NonNullable<NewMessage['type']> {
  const [kind = ''] = type.split('/')
  return type !== 'image/svg+xml' && isMedia(kind) ? kind : 'file'
}

function isMedia(kind: string): kind is 'image' | 'video' | 'audio' {
  return kind === 'image' || kind === 'video' || kind === 'audio'
}
