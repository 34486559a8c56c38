/**
 * Viewer: an image in full size, with those before and after it in the conversation.
 *
 * Keys: Escape closes, arrows go to the next image, + - 0 change the size; when it is larger than the window,
 * dragging moves it.
 */
import { useRef, useState } from 'preact/hooks'
import type { Item, MessageItem } from '../../client/store/types.ts'
import { useShell, useView } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { useModal } from '../ui/modal.ts'
import { previewOf, viewerOf } from './talk-state.ts'
import { useFileUrl } from './use-file-url.ts'

const MAX_ZOOM = 8
const fit = { zoom: 1, x: 0, y: 0 }

export function Viewer({ item }: { readonly item: MessageItem }) {
  const { store, texts, format } = useShell()
  const dialog = useRef<HTMLDialogElement>(null)
  const [view, setView] = useState(fit)
  const { items } = useView(store.group(item.groupId).messages)
  const images = items.filter(isImage)
  const at = images.findIndex(({ key }) => key === item.key)
  const remote = useFileUrl(item.file)
  const url = previewOf(item.key) ?? remote
  const name = item.file?.fileName ?? texts.shell.image
  const t = texts.talk
  const close = () => viewerOf(store).set(null)
  const show = (next: MessageItem | undefined) => {
    if (!next) return
    setView(fit)
    viewerOf(store).set(next)
  }
  const zoom = (factor: number) =>
    setView(({ zoom: before, x, y }) => {
      const after = Math.max(1, Math.min(MAX_ZOOM, before * factor))
      return after === 1 ? fit : { zoom: after, x: (x * after) / before, y: (y * after) / before }
    })
  useModal(dialog)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const factor = { '+': 1.5, '=': 1.5, '-': 1 / 1.5 }[event.key]
    if (step !== undefined) show(images[at + step])
    else if (factor !== undefined) zoom(factor)
    else if (event.key === '0') setView(fit)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={name}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
    >
      <header class="viewer-bar">
        <span class="grow ellipsis">
          {item.sender.name} · {format.dateTime(item.createdAt)}
        </span>
        <IconButton icon="plus" label={t.zoomIn} tip="below" onClick={() => zoom(1.5)} />
        <IconButton icon="expand" label={t.zoomFit} tip="below" onClick={() => setView(fit)} />
        {url && (
          <a
            class="icon-button"
            href={url}
            download={name}
            aria-label={t.downloadFile(name)}
            target="_blank"
            rel="noreferrer"
          >
            <Icon name="download" />
          </a>
        )}
        <IconButton icon="close" label={texts.shell.close} tip="below" onClick={close} />
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons and keys of the dialog do the same. */}
      <div
        class="viewer-stage"
        role="presentation"
        onClick={(event) => event.target === event.currentTarget && close()}
        onDblClick={() => (view.zoom === 1 ? zoom(2.5) : setView(fit))}
        onWheel={(event) => {
          event.preventDefault()
          zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15)
        }}
        onPointerMove={(event) => {
          if (event.buttons !== 1 || view.zoom === 1) return
          setView(({ zoom: z, x, y }) => ({ zoom: z, x: x + event.movementX, y: y + event.movementY }))
        }}
      >
        {url && (
          <img
            src={url}
            alt={name}
            draggable={false}
            style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}
          />
        )}
      </div>
      {at > 0 && (
        <span class="viewer-step viewer-previous">
          <IconButton icon="back" label={t.previousImage} onClick={() => show(images[at - 1])} />
        </span>
      )}
      {at >= 0 && at < images.length - 1 && (
        <span class="viewer-step viewer-next">
          <IconButton icon="back" label={t.nextImage} onClick={() => show(images[at + 1])} />
        </span>
      )}
    </dialog>
  )
}

function isImage(item: Item): item is MessageItem {
  return (
    item.kind === 'message' &&
    item.type === 'image' &&
    item.file !== undefined &&
    item.deletedAt === undefined
  )
}
