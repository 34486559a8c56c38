/**
 * Drop place: shows over a conversation where to drop files, while some are dragged over the page. It does not get
 * the focus, and the drop itself goes to the conversation.
 *
 * Not every browser reports that a drag has ended outside of its window: without news of it for a second it has ended.
 */
import { useEffect, useState } from 'preact/hooks'
import { useShell, useView } from '../shell.ts'
import { Icon } from '../ui/icon.tsx'

/** Browsers repeat `dragover` at least every 550 ms, also if nothing moves. */
const LOST_MS = 1_000

export function DropPlace({ title }: { readonly title: string }) {
  const { texts, modals, announce } = useShell()
  const isCovered = useView(modals).length > 0
  const isDragging = useFileDrag()
  const isShown = isDragging && !isCovered
  const text = texts.talk.dropHere(title)
  useEffect(() => {
    if (isShown) announce(text)
  }, [isShown, text, announce])
  if (!isShown) return null
  return (
    <div class="drop-place" aria-hidden="true">
      <Icon name="attach" size={32} />
      <strong>{text}</strong>
    </div>
  )
}

/** Whether files are dragged over the page. */
function useFileDrag(): boolean {
  const [isDragging, setDragging] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = () => {
      clearTimeout(timer)
      setDragging(false)
    }
    const onDragOver = ({ dataTransfer }: DragEvent) => {
      if (!dataTransfer?.types.includes('Files')) return
      clearTimeout(timer)
      timer = setTimeout(end, LOST_MS)
      setDragging(true)
    }
    const onDragLeave = ({ relatedTarget }: DragEvent) => relatedTarget === null && end()
    const onKeyDown = ({ key }: KeyboardEvent) => key === 'Escape' && end()
    addEventListener('dragover', onDragOver)
    addEventListener('dragleave', onDragLeave)
    addEventListener('drop', end, true)
    addEventListener('keydown', onKeyDown, true)
    return () => {
      clearTimeout(timer)
      removeEventListener('dragover', onDragOver)
      removeEventListener('dragleave', onDragLeave)
      removeEventListener('drop', end, true)
      removeEventListener('keydown', onKeyDown, true)
    }
  }, [])
  return isDragging
}
