/**
 * Duration: how long audio or video lasts, where a header tells.
 *
 * One small reader a format, each of which looks at a few pieces of the file. What is cut off,
 * contradicts itself or would last longer than a year tells nothing.
 */
import type { ByteSource } from './byte-source.ts'
import { matroskaDuration } from './duration-matroska.ts'
import { mp3Duration } from './duration-mp3.ts'
import { mp4Duration } from './duration-mp4.ts'
import { oggDuration } from './duration-ogg.ts'
import { flacDuration, wavDuration } from './duration-wav-flac.ts'

/** Seconds, or null where nothing is told. */
export type DurationReader = (source: ByteSource) => Promise<number | null>

const MAX_SECONDS = 366 * 24 * 3_600

const readers: readonly (readonly [RegExp, DurationReader])[] = [
  [/^audio\/(wav|vnd\.wave|x-wav)$/, wavDuration],
  [/^audio\/(flac|x-flac)$/, flacDuration],
  [/^audio\/(mpeg|mp3)$/, mp3Duration],
  [/^(audio|video|application)\/(ogg|opus)$/, oggDuration],
  [/^(audio|video)\/(mp4|m4a|x-m4a|x-m4v|aac|quicktime|3gpp2?)$/, mp4Duration],
  [/^(audio|video)\/(webm|(x-)?matroska)$/, matroskaDuration],
]

/** Milliseconds, or undefined where no header tells. Never throws for what the bytes are. */
export async function durationMs(source: ByteSource, mimeType: string): Promise<number | undefined> {
  const reader = readers.find(([types]) => types.test(mimeType))?.[1]
  if (!reader) return undefined
  try {
    const seconds = await reader(source)
    if (seconds === null || !(seconds > 0) || seconds > MAX_SECONDS) return undefined
    return Math.round(seconds * 1_000)
  } catch (error) {
    // Read beyond its end: a header that is cut off. The disk's own errors are not of this kind.
    if (error instanceof RangeError || (error as Error).name === 'TooManyReads') return undefined
    throw error
  }
}
