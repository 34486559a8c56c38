/**
 * Recording: a voice message while it is recorded, with the loudness for its waveform.
 */

export interface Recording {
  /** Loudness from 0 to 1, ten a second. */
  readonly levels: readonly number[]
  /** Ends it and returns the file; null if nothing was recorded. */
  stop(): Promise<File | null>
  /** Ends it and forgets it. */
  cancel(): void
}

const LEVEL_MS = 100
const types = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus']

/** Starts to record; `changed` is called for each level. Rejects without a microphone. */
export async function startRecording(changed: () => void): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type))
  const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType })
  const parts: Blob[] = []
  recorder.ondataavailable = ({ data }) => parts.push(data)
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve
  })

  const context = new AudioContext()
  const analyser = context.createAnalyser()
  context.createMediaStreamSource(stream).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const levels: number[] = []
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const sum = samples.reduce((total, sample) => total + sample * sample, 0)
    levels.push(Math.min(1, Math.sqrt(sum / samples.length) * 4))
    changed()
  }, LEVEL_MS)
  recorder.start(1_000)

  const end = async () => {
    clearInterval(timer)
    if (recorder.state !== 'inactive') recorder.stop()
    await stopped
    for (const track of stream.getTracks()) track.stop()
    await context.close()
  }
  return {
    levels,
    cancel: () => void end(),
    async stop() {
      await end()
      // Without parameters: they are not part of the file's type.
      const type = (recorder.mimeType.split(';')[0] ?? '') || 'audio/webm'
      const blob = new Blob(parts, { type })
      if (blob.size === 0) return null
      const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
      return new File([blob], `voice-${time}.${type.split('/')[1]}`, { type })
    },
  }
}
