/**
 * Voice recorder: records a voice message in place of the composer's field; Escape cancels it, Enter sends it.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { GroupHandle } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { type Recording, startRecording } from './recording.ts'
import { sendFilesNow } from './send-files.ts'
import { Waveform } from './waveform.tsx'

interface VoiceRecorderProps {
  readonly handle: GroupHandle
  readonly replyToId: string | undefined
  readonly onSent: () => void
  readonly onClose: () => void
}

/** Levels on show. */
const SHOWN = 60

export function VoiceRecorder({ handle, replyToId, onSent, onClose }: VoiceRecorderProps) {
  const { texts, format, fail, toast, announce } = useShell()
  const recording = useRef<Recording | null>(null)
  const sendButton = useRef<HTMLButtonElement>(null)
  const [count, setCount] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: recording starts once.
  useEffect(() => {
    let isEnded = false
    const before = document.activeElement
    startRecording(() => setCount((n) => n + 1)).then(
      (started) => {
        if (isEnded) return started.cancel()
        recording.current = started
        announce(texts.talk.recording)
        sendButton.current?.focus()
      },
      () => {
        toast(texts.talk.noMicrophone)
        onClose()
      },
    )
    return () => {
      isEnded = true
      recording.current?.cancel()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const send = async () => {
    const file = await recording.current?.stop()
    recording.current = null
    onClose()
    if (!file) return
    await sendFilesNow(handle, { files: [file], replyToId })
    onSent()
  }
  const levels = recording.current?.levels.slice(-SHOWN) ?? []
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a flexible row in all browsers.
    <div
      class="recorder"
      role="group"
      aria-label={texts.talk.recording}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onClose()
      }}
    >
      <IconButton icon="trash" kind="danger" label={texts.talk.cancelRecording} onClick={onClose} />
      <span class="recorder-dot" />
      <span class="recorder-time">{format.clock(count / 10)}</span>
      <Waveform
        peaks={[...new Array<number>(Math.max(0, SHOWN - levels.length)).fill(0), ...levels]}
        played={1}
      />
      <IconButton
        buttonRef={sendButton}
        icon="send"
        kind="primary"
        label={texts.talk.sendRecording}
        disabled={count === 0}
        onClick={() => void send().catch(fail)}
      />
    </div>
  )
}
