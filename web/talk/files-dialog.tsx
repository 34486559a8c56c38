/**
 * Files dialog: shows the chosen files before they are sent, with a text for them.
 */
import { useState } from 'preact/hooks'
import type { GroupHandle } from '../../client/store/types.ts'
import { useShell, useView } from '../shell.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { sendFilesNow } from './send-files.ts'
import { type ChosenFile, chosenIn, clearChosen, removeChosen } from './talk-state.ts'

interface FilesDialogProps {
  readonly handle: GroupHandle
  /** The message that is answered. */
  readonly replyToId: string | undefined
  readonly onSent: () => void
}

export function FilesDialog({ handle, replyToId, onSent }: FilesDialogProps) {
  const { texts, format, store, fail } = useShell()
  const files = useView(chosenIn(handle))
  const { limits } = useView(store.me)
  const [text, setText] = useState('')
  const [isSending, setSending] = useState(false)
  const maxBytes = limits?.maxUploadBytes ?? Number.POSITIVE_INFINITY
  const isTooLarge = files.some(({ file }) => file.size > maxBytes)
  const t = texts.talk
  const send = async () => {
    if (isTooLarge || isSending) return
    setSending(true)
    // The dialog stays until the messages are on show: it measures images and videos before.
    await sendFilesNow(handle, { files: files.map(({ file }) => file), text: text.trim(), replyToId }).catch(
      fail,
    )
    for (const { url } of files) if (url) URL.revokeObjectURL(url)
    clearChosen(handle)
    onSent()
  }
  const close = () => {
    if (!isSending) for (const one of files) removeChosen(handle, one)
  }
  return (
    <Dialog title={t.sendFiles(files.length)} onClose={close}>
      <form
        class="files-form"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <ul class="files-list">
          {files.map((one) => (
            <li key={one.id} class="files-item">
              <Thumbnail chosen={one} />
              <span class="grow files-name">
                <span class="ellipsis">{one.file.name}</span>
                <span class="soft small">
                  {one.file.size > maxBytes
                    ? t.tooLarge(format.bytes(maxBytes))
                    : format.bytes(one.file.size)}
                </span>
              </span>
              <IconButton
                icon="close"
                label={texts.shell.remove(one.file.name)}
                disabled={isSending}
                onClick={() => removeChosen(handle, one)}
              />
            </li>
          ))}
        </ul>
        <input
          class="field"
          value={text}
          placeholder={t.caption}
          aria-label={t.caption}
          autofocus
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <footer class="files-actions">
          <Button onClick={close}>{texts.shell.cancel}</Button>
          <Button kind="primary" type="submit" icon="send" disabled={isTooLarge || isSending}>
            {t.send}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

function Thumbnail({ chosen: { file, url } }: { readonly chosen: ChosenFile }) {
  return (
    <span class="files-thumbnail">
      {url === null && <Icon name="file" size={24} />}
      {url !== null && file.type.startsWith('image/') && <img src={url} alt="" />}
      {url !== null && file.type.startsWith('video/') && <video src={url} muted preload="metadata" />}
    </span>
  )
}
