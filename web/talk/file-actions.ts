/**
 * File actions: what the menu of a message offers for its file, for those who use the keyboard.
 */
import type { MessageItem } from '../../client/store/types.ts'
import type { Shell } from '../shell.ts'
import type { MenuItem } from '../ui/menu.tsx'
import { viewerOf } from './talk-state.ts'

export function fileActions(item: MessageItem, { store, texts }: Shell): readonly MenuItem[] {
  const { file, uploadId, key, groupId } = item
  const t = texts.talk
  if (file) {
    const name = file.fileName
    const download: MenuItem = {
      label: t.downloadFile(name),
      icon: 'download',
      run: () => void store.fileUrl(file).then((url) => save(url, name)),
    }
    if (item.type !== 'image') return [download]
    return [{ label: t.openImage(name), icon: 'search', run: () => viewerOf(store).set(item) }, download]
  }
  const upload = store.uploads.getSnapshot().uploads.find((one) => one.uploadId === uploadId)
  if (!upload) return []
  const isStopped = upload.state === 'paused' || upload.state === 'failed'
  return [
    isStopped
      ? { label: t.resumeUpload, icon: 'play', run: () => store.resumeUpload(upload.uploadId) }
      : { label: t.pauseUpload, icon: 'pause', run: () => store.pauseUpload(upload.uploadId) },
    {
      label: t.abortUpload,
      icon: 'close',
      isDanger: true,
      run: () => store.group(groupId).discard(key),
    },
  ]
}

function save(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}
