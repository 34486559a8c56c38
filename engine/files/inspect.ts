/**
 * Inspect: finds out the type, dimensions and duration of a file from a few pieces of it.
 *
 * Width and height are those of the image as displayed (rotated if its header says so). Malformed or
 * hostile content gives fewer results, never an error.
 */
import type { FileHandle } from 'node:fs/promises'
import { imageSize } from 'image-size'
import type { File } from '../../protocol/records.ts'
import { type ByteSource, fileSource, MAX_PIECE_BYTES } from './byte-source.ts'
import { durationMs } from './duration.ts'
import { mediaType } from './media-type.ts'

/** The properties that are found in the bytes. */
export type Found = Pick<File, 'mimeType' | 'width' | 'height' | 'durationMs'>

/** EXIF orientations from this value on are rotated by 90 degrees. */
const FIRST_TURNED = 5
const MAX_PIXELS_A_SIDE = 1_000_000
const measured = /^image\/(png|apng|jpeg|gif|webp|avif|heic|heif|bmp)$/

/** Inspects an open file of `size` bytes; `claim` is the type that its sender stated. */
export function inspect(handle: FileHandle, size: number, claim?: string | undefined): Promise<Found> {
  return inspectSource(fileSource(handle, size), claim)
}

/** Inspects any source. */
export async function inspectSource(source: ByteSource, claim?: string | undefined): Promise<Found> {
  const head = await source.read(0, MAX_PIECE_BYTES)
  const mimeType = await mediaType(head, head.length === source.size, claim)
  return {
    mimeType,
    ...(measured.test(mimeType) ? sides(head) : {}),
    durationMs: /^(audio|video)\//.test(mimeType) ? await durationMs(source, mimeType) : undefined,
  }
}

function sides(head: Uint8Array): { readonly width?: number; readonly height?: number } {
  try {
    const { width, height, orientation = 1 } = imageSize(head)
    if (!plausible(width) || !plausible(height)) return {}
    return orientation >= FIRST_TURNED ? { width: height, height: width } : { width, height }
  } catch {
    return {}
  }
}

function plausible(side: number): boolean {
  return Number.isInteger(side) && side > 0 && side <= MAX_PIXELS_A_SIDE
}
