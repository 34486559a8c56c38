/** The address of a file; null until it is known. */
import { useEffect, useState } from 'preact/hooks'
import type { File } from '../../protocol/records.ts'
import { useShell } from '../shell.ts'

export function useFileUrl(file: File | undefined): string | null {
  const { store } = useShell()
  const [found, setFound] = useState<{ readonly fileId: string; readonly url: string } | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another object may describe the same file.
  useEffect(() => {
    let isEnded = false
    // Without a network there is no address; the message shows its name and size.
    if (file) {
      store.fileUrl(file).then(
        (url) => !isEnded && setFound({ fileId: file.fileId, url }),
        () => {},
      )
    }
    return () => {
      isEnded = true
    }
  }, [store, file?.fileId])
  return found !== null && found.fileId === file?.fileId ? found.url : null
}
