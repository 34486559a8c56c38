/**
 * Message file: the file of a message, or its upload. The place of images and videos has its final size before
 * they are loaded, so that the list does not move.
 */
import type { MessageItem, Store } from '../../client/store/types.ts'
import type { File } from '../../protocol/records.ts'
import { useShell, useView } from '../shell.ts'
import { Icon } from '../ui/icon.tsx'
import { AudioPlayer } from './audio-player.tsx'
import { previewOf, viewerOf } from './talk-state.ts'
import { UploadProgress } from './upload-progress.tsx'
import { useFileUrl } from './use-file-url.ts'

const MAX_WIDTH = 320
const MAX_HEIGHT = 320
const MIN_SIDE = 64
/** For media without dimensions. */
const DEFAULT = { width: 240, height: 180 }

export function MessageFile({ item }: { readonly item: MessageItem }) {
  const { file, uploadId } = item
  return (
    <div class="message-file">
      <Content item={item} />
      {!file && uploadId !== undefined && <Upload item={item} uploadId={uploadId} />}
    </div>
  )
}

function Content({ item }: { readonly item: MessageItem }) {
  const { texts, store } = useShell()
  const { file, type } = item
  const remote = useFileUrl(file)
  const url = previewOf(item.key) ?? remote
  const name = file?.fileName ?? ''
  const size = sizeOf(item, store)
  if (type === 'image' && (url || file)) {
    return (
      <button
        type="button"
        class="media"
        data-file-action="open"
        tabIndex={-1}
        style={size}
        aria-label={texts.talk.openImage(name)}
        onClick={() => viewerOf(store).set(item)}
      >
        {url && <img src={url} alt={name} decoding="async" />}
      </button>
    )
  }
  if (type === 'video' && (url || file)) {
    return (
      <div class="media" style={size}>
        {url && (
          // biome-ignore lint/a11y/useMediaCaption: a video of a message has no captions.
          <video src={url} controls preload="metadata" playsInline tabIndex={-1} aria-label={name} />
        )}
      </div>
    )
  }
  if (type === 'audio' && (url || file)) {
    const id = file?.fileId ?? item.key
    const label = texts.talk.positionIn(name || texts.shell.audio)
    return (
      <AudioPlayer
        key={id}
        id={id}
        url={url}
        size={file?.size ?? 0}
        durationMs={file?.durationMs}
        label={label}
      />
    )
  }
  return file ? <FileLink file={file} url={url} /> : null
}

function FileLink({ file: { fileName, size }, url }: { readonly file: File; readonly url: string | null }) {
  const { texts, format } = useShell()
  const content = (
    <>
      <Icon name="file" size={28} />
      <span class="grow file-text">
        <span class="ellipsis">{fileName}</span>
        <span class="soft small">{format.bytes(size)}</span>
      </span>
    </>
  )
  // Without an address, for instance offline, there is nothing to open.
  if (url === null) return <div class="file-link">{content}</div>
  return (
    <a class="file-link" href={url} download={fileName} target="_blank" rel="noreferrer" tabIndex={-1}>
      <span class="visually-hidden">{texts.talk.downloadFile('')}</span>
      {content}
      <Icon name="download" />
    </a>
  )
}

function Upload({ item, uploadId }: { readonly item: MessageItem; readonly uploadId: string }) {
  const { uploads } = useView(useShell().store.uploads)
  const upload = uploads.find((one) => one.uploadId === uploadId)
  return upload ? <UploadProgress item={item} upload={upload} /> : null
}

/** The size of the place for an image or video, with its proportions. */
function sizeOf({ file, uploadId }: MessageItem, store: Store): { width: string; aspectRatio: string } {
  const upload =
    file || uploadId === undefined
      ? undefined
      : store.uploads.getSnapshot().uploads.find((one) => one.uploadId === uploadId)
  const { width, height } = { ...DEFAULT, ...definedSize(file ?? upload) }
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height)
  const side = (length: number) => Math.max(MIN_SIDE, Math.round(length * scale))
  return { width: `${side(width)}px`, aspectRatio: `${side(width)} / ${side(height)}` }
}

function definedSize(
  of: { readonly width?: number | undefined; readonly height?: number | undefined } | undefined,
) {
  return of?.width && of.height ? { width: of.width, height: of.height } : undefined
}
