/**
 * Peaks: the loudness of a sound over time, calculated from its file when it is needed.
 */

/** Larger files are not decoded: a decoded sound needs ten times the memory. */
const MAX_BYTES = 4_000_000
const MAX_KNOWN = 100
const BARS = 48
const known = new Map<string, Promise<readonly number[] | null>>()

/** `BARS` values from 0 to 1; null if the browser cannot decode the file, or it is too large. */
export function peaksOf(id: string, size: number, url: string): Promise<readonly number[] | null> {
  let peaks = known.get(id)
  if (!peaks) {
    peaks = size > MAX_BYTES ? Promise.resolve(null) : decode(url).catch(() => null)
    known.set(id, peaks)
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value as string)
  }
  return peaks
}

async function decode(url: string): Promise<readonly number[]> {
  const bytes = await (await fetch(url)).arrayBuffer()
  // The rate is as low as browsers allow: the sound is not played.
  const sound = await new OfflineAudioContext(1, 1, 8_000).decodeAudioData(bytes)
  const samples = sound.getChannelData(0)
  const length = Math.max(1, Math.floor(samples.length / BARS))
  const bars = Array.from({ length: BARS }, (_, i) => {
    const part = samples.subarray(i * length, (i + 1) * length)
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / length)
  })
  const loudest = Math.max(0.01, ...bars)
  return bars.map((bar) => bar / loudest)
}
