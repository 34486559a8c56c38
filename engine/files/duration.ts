/**
 * Duration: the length of audio or video, if a header states it.
 *
 * There is one small reader per format; each reads a few pieces of the file. A header that is
 * truncated, inconsistent or longer than a year gives no duration.
 */
import type { ByteSource } from './byte-source.ts'
import { matroskaDuration } from './duration-matroska.ts'
import { mp3Duration } from './duration-mp3.ts'
import { mp4Duration } from './duration-mp4.ts'
import { oggDuration } from './duration-ogg.ts'
import { flacDuration, wavDuration } from './duration-wav-flac.ts'

/** Seconds, or null if the file does not state a duration. */
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

/** Milliseconds, or undefined if no header states a duration. Never throws because of the file's content. */
export async function durationMs(source: ByteSource, mimeType: string): Promise<number | undefined> {
  const reader = readers.find(([types]) => types.test(mimeType))?.[1]
  if (!reader) return undefined
  try {
    const seconds = await reader(source)
    if (seconds === null || !(seconds > 0) || seconds > MAX_SECONDS) return undefined
    return Math.round(seconds * 1_000)
  } catch (error) {
    // A read beyond the end: the header is truncated. Disk errors are of other types.
    if (error instanceof RangeError || (error as Error).name === 'TooManyReads') return undefined
    throw error
  }
}
