/**
 * Upload progress: how much of a file is sent, and whether it is stored on the device; with pause, resume and abort.
 */
import type { MessageItem, UploadItem } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { useLoaded } from '../ui/lazy.tsx'

interface UploadProgressProps {
  readonly item: MessageItem
  readonly upload: UploadItem
}

/** The store loads it too, and waits silently if it cannot: here the user gets to know. */
const loadUpload = () => import('../../client/upload.ts')

export function UploadProgress({ item, upload }: UploadProgressProps) {
  const { store, texts, format } = useShell()
  const { uploadId, fileName, size, sent, state, failure, isStored } = upload
  const t = texts.talk
  const percent = size === 0 ? 0 : Math.floor((sent / size) * 100)
  const isStopped = state === 'paused' || state === 'failed'
  useLoaded(isStopped ? null : loadUpload)
  return (
    <div class="upload">
      <span class="grow upload-text">
        <span class="ellipsis">{fileName}</span>
        <span class="small ellipsis">
          {state !== 'uploading' && `${failure?.message ?? t.uploadState[state]} · `}
          {!isStored && `${t.notStored} · `}
          {sent > 0 ? t.sentOf(format.bytes(sent), format.bytes(size)) : format.bytes(size)}
        </span>
        <progress value={sent} max={Math.max(1, size)} aria-label={t.uploading(fileName)}>
          {percent}%
        </progress>
      </span>
      {isStopped ? (
        <IconButton
          icon={state === 'failed' ? 'retry' : 'play'}
          label={t.resumeUpload}
          tabIndex={-1}
          onClick={() => store.resumeUpload(uploadId)}
        />
      ) : (
        <IconButton
          icon="pause"
          label={t.pauseUpload}
          tabIndex={-1}
          onClick={() => store.pauseUpload(uploadId)}
        />
      )}
      <IconButton
        icon="close"
        label={t.abortUpload}
        tabIndex={-1}
        onClick={() => store.group(item.groupId).discard(item.key)}
      />
    </div>
  )
}
