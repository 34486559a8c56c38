/**
 * Waveform: bars for the loudness over time, the played part in the accent colour.
 */

interface WaveformProps {
  /** From 0 to 1. */
  readonly peaks: readonly number[]
  /** From 0 to 1. */
  readonly played: number
}

const HEIGHT = 28
const STEP = 4

export function Waveform({ peaks, played }: WaveformProps) {
  return (
    <svg
      class="waveform"
      viewBox={`0 0 ${peaks.length * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {peaks.map((peak, i) => {
        const height = Math.max(2, peak * HEIGHT)
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar has no other identity than its place.
            key={i}
            class={i < played * peaks.length ? 'waveform-played' : ''}
            x={i * STEP}
            y={(HEIGHT - height) / 2}
            width={STEP - 1.5}
            height={height}
            rx="1"
          />
        )
      })}
    </svg>
  )
}
