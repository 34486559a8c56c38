/**
 * Local media: the microphone, camera and screen of one call, as tracks of a peer connection.
 *
 * Video has one sender: camera, screen or nothing replace each other without a new negotiation. A camera
 * that is off is stopped, so that its light goes out. A muted microphone stays open and sends silence.
 */
import type { CallMedia } from './call-view.ts'

/** The part of `navigator.mediaDevices` that calls need. */
export interface MediaDevicesLike {
  getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream>
  getDisplayMedia(constraints: DisplayMediaStreamOptions): Promise<MediaStream>
}

export class LocalMedia {
  readonly #devices: MediaDevicesLike
  /** Called after each change. */
  changed = () => {}
  #opening: Promise<void> | null = null
  #stream: MediaStream | null = null
  #peer: RTCPeerConnection | null = null
  #videoSender: RTCRtpSender | null = null
  #video: CallMedia['video'] = null
  #muted = false
  #isStopped = false

  constructor(devices: MediaDevicesLike) {
    this.#devices = devices
  }

  get view(): CallMedia {
    return { stream: this.#stream, muted: this.#muted, video: this.#video }
  }

  /** Opens the microphone and, if it is wanted and there is one, the camera. Rejects without a microphone. */
  open(withVideo: boolean): Promise<void> {
    this.#opening ??= this.#open(withVideo)
    return this.#opening
  }

  async #open(withVideo: boolean): Promise<void> {
    const stream = await this.#devices.getUserMedia({ audio: true, video: withVideo }).catch((error) => {
      if (!withVideo) throw error
      return this.#devices.getUserMedia({ audio: true })
    })
    if (this.#isStopped) return stopAll(stream)
    this.#stream = stream
    this.#video = stream.getVideoTracks().length > 0 ? 'camera' : null
    this.changed()
  }

  /** Adds the tracks to the connection; after the first offer of the other side they answer its tracks. */
  attach(peer: RTCPeerConnection): void {
    if (this.#peer || !this.#stream) return
    this.#peer = peer
    for (const track of this.#stream.getTracks()) {
      const sender = peer.addTrack(track, this.#stream)
      if (track.kind === 'video') this.#videoSender = sender
    }
  }

  mute(muted: boolean): void {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted
    this.#muted = muted
    this.changed()
  }

  /** Sends the camera, the screen, or no video. Rejects if the user or the device does not allow it. */
  async show(video: CallMedia['video']): Promise<void> {
    if (video === this.#video || !this.#stream) return
    if (video === null) return await this.#replace(null, null)
    const source =
      video === 'camera'
        ? await this.#devices.getUserMedia({ video: true })
        : await this.#devices.getDisplayMedia({ video: true })
    const [track] = source.getVideoTracks()
    if (this.#isStopped || !track) return stopAll(source)
    // The browser's own button ends sharing.
    track.addEventListener('ended', () => {
      if (this.#stream?.getVideoTracks().includes(track)) void this.#replace(null, null)
    })
    await this.#replace(track, video)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#stream) stopAll(this.#stream)
  }

  async #replace(track: MediaStreamTrack | null, video: CallMedia['video']): Promise<void> {
    const stream = this.#stream
    if (!stream) return
    for (const old of stream.getVideoTracks()) {
      stream.removeTrack(old)
      old.stop()
    }
    if (track) stream.addTrack(track)
    this.#video = video
    if (this.#videoSender) await this.#videoSender.replaceTrack(track)
    else if (track && this.#peer) this.#videoSender = this.#peer.addTrack(track, stream)
    this.changed()
  }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}
