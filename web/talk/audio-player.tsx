/**
 * Audio player: plays a voice message. The waveform is calculated when the message is on screen; it is a
 * slider for the time.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import { useShell } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { peaksOf } from './peaks.ts'
import { Waveform } from './waveform.tsx'

interface AudioPlayerProps {
  readonly id: string
  /** Null until it is known. */
  readonly url: string | null
  readonly size: number
  readonly durationMs: number | undefined
  readonly label: string
}

const STEP_SECONDS = 5
const flat: readonly number[] = new Array<number>(48).fill(0.2)

export function AudioPlayer({ id, url, size, durationMs, label }: AudioPlayerProps) {
  const { texts, format, toast } = useShell()
  const audio = useRef<HTMLAudioElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const [peaks, setPeaks] = useState<readonly number[]>(flat)
  const [isPlaying, setPlaying] = useState(false)
  const [at, setAt] = useState(0)
  const [length, setLength] = useState((durationMs ?? 0) / 1_000)
  useEffect(() => {
    if (!url || !box.current) return
    const observer = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return
      observer.disconnect()
      void peaksOf(id, size, url).then((found) => found && setPeaks(found))
    })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [id, size, url])
  const toggle = () => {
    if (isPlaying) audio.current?.pause()
    else audio.current?.play().catch(() => toast(texts.talk.cannotPlay))
  }
  const seek = (seconds: number) => {
    if (!audio.current || length === 0) return
    audio.current.currentTime = Math.max(0, Math.min(length, seconds))
    setAt(audio.current.currentTime)
  }
  return (
    <div ref={box} class="audio">
      {url && (
        // biome-ignore lint/a11y/useMediaCaption: a voice message has no captions.
        <audio
          ref={audio}
          src={url}
          preload="none"
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onEnded={() => setAt(0)}
          onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime)}
          onDurationChange={({ currentTarget: { duration } }) => {
            if (Number.isFinite(duration) && duration > 0) setLength(duration)
          }}
        />
      )}
      <IconButton
        icon={isPlaying ? 'pause' : 'play'}
        kind="primary"
        label={isPlaying ? texts.talk.pauseSound : texts.talk.play}
        tabIndex={-1}
        disabled={!url}
        onClick={toggle}
      />
      <div
        class="audio-track"
        role="slider"
        tabIndex={-1}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.round(length)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={format.clock(at)}
        onPointerDown={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect()
          seek(((event.clientX - left) / width) * length)
        }}
        onKeyDown={(event) => {
          const step = { ArrowRight: STEP_SECONDS, ArrowLeft: -STEP_SECONDS }[event.key]
          if (step === undefined) return
          event.preventDefault()
          event.stopPropagation()
          seek(at + step)
        }}
      >
        <Waveform peaks={peaks} played={length > 0 ? at / length : 0} />
      </div>
      <span class="audio-time soft small">{format.clock(isPlaying || at > 0 ? at : length)}</span>
    </div>
  )
}
