/**
 * Composer tools: what the composer has besides its text: files and voice messages.
 */
import { useRef, useState } from 'preact/hooks'
import type { GroupHandle } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import './talk.css'
import { chooseFiles } from './talk-state.ts'
import { VoiceRecorder } from './voice-recorder.tsx'

interface ComposerToolsProps {
  readonly handle: GroupHandle
  /** The message that is answered. */
  readonly replyToId: string | undefined
  /** After something was sent: it answers no longer. */
  readonly onSent: () => void
}

export function ComposerTools({ handle, replyToId, onSent }: ComposerToolsProps) {
  const t = useShell().texts.talk
  const input = useRef<HTMLInputElement>(null)
  const [isRecording, setRecording] = useState(false)
  const canRecord = typeof MediaRecorder !== 'undefined' && navigator.mediaDevices !== undefined
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t.attach}
        onChange={({ currentTarget }) => {
          chooseFiles(handle, [...(currentTarget.files ?? [])])
          currentTarget.value = ''
        }}
      />
      <IconButton icon="attach" label={t.attach} onClick={() => input.current?.click()} />
      {canRecord && (
        <IconButton icon="mic" label={t.record} pressed={isRecording} onClick={() => setRecording(true)} />
      )}
      {isRecording && (
        <VoiceRecorder
          handle={handle}
          replyToId={replyToId}
          onSent={onSent}
          onClose={() => setRecording(false)}
        />
      )}
    </>
  )
}
