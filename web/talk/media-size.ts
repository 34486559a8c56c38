/**
 * Media size: the width and height of an image or video before it is sent, so that those who receive it can
 * keep its place free. Undefined if the browser cannot read it, or not within `LIMIT_MS`.
 */

export interface MediaSize {
  readonly width: number
  readonly height: number
}

const LIMIT_MS = 5_000

export async function measureMedia(blob: Blob): Promise<MediaSize | undefined> {
  const kind = blob.type.split('/')[0]
  const measure = kind === 'image' ? ofImage : kind === 'video' ? ofVideo : null
  if (!measure) return undefined
  const limit = new Promise<undefined>((resolve) => setTimeout(resolve, LIMIT_MS))
  const size = await Promise.race([measure(blob).catch(() => undefined), limit])
  return size && size.width > 0 && size.height > 0 ? size : undefined
}

async function ofImage(blob: Blob): Promise<MediaSize> {
  // A bitmap is turned as the camera was held, like the image on show.
  const bitmap = await createImageBitmap(blob)
  const { width, height } = bitmap
  bitmap.close()
  return { width, height }
}

async function ofVideo(blob: Blob): Promise<MediaSize> {
  const url = URL.createObjectURL(blob)
  const video = document.createElement('video')
  try {
    await new Promise((resolve, reject) => {
      video.onloadedmetadata = resolve
      video.onerror = reject
      video.preload = 'metadata'
      video.src = url
    })
    return { width: video.videoWidth, height: video.videoHeight }
  } finally {
    video.removeAttribute('src')
    URL.revokeObjectURL(url)
  }
}
