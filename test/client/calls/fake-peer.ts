/**
 * Fake peer connections: signalling states, negotiation and connection as WebRTC defines them, without media.
 *
 * A description contains the id of its peer. Two peers are connected once both are stable with each
 * other's descriptions and have a candidate of the other.
 */
import type { MediaDevicesLike } from '../../../client/calls/local-media.ts'

/** Longer than one signal: descriptions of real calls may be. */
const PADDING = 'a=rtpmap:96 VP8/90000\r\n'.repeat(1_000)

export class FakeTrack extends EventTarget {
  readonly kind: 'audio' | 'video'
  enabled = true
  isStopped = false

  constructor(kind: 'audio' | 'video') {
    super()
    this.kind = kind
  }

  stop(): void {
    this.isStopped = true
  }
}

class FakeStream {
  readonly tracks: FakeTrack[]

  constructor(tracks: FakeTrack[]) {
    this.tracks = tracks
  }

  getTracks = () => [...this.tracks]
  getAudioTracks = () => this.tracks.filter(({ kind }) => kind === 'audio')
  getVideoTracks = () => this.tracks.filter(({ kind }) => kind === 'video')
  addTrack = (track: FakeTrack) => void this.tracks.push(track)
  removeTrack = (track: FakeTrack) => void this.tracks.splice(this.tracks.indexOf(track), 1)
}

/** Devices that a test can refuse; `tracks` are all that were opened. */
export class FakeDevices {
  readonly tracks: FakeTrack[] = []
  isAllowed = true

  get forCalls(): MediaDevicesLike {
    const open = async (kinds: readonly (false | 'audio' | 'video')[]) => {
      if (!this.isAllowed) throw new Error('NotAllowedError')
      const tracks = kinds.filter((kind) => kind !== false).map((kind) => new FakeTrack(kind))
      this.tracks.push(...tracks)
      return new FakeStream(tracks) as unknown as MediaStream
    }
    return {
      getUserMedia: ({ audio, video }) => open([audio ? 'audio' : false, video ? 'video' : false]),
      getDisplayMedia: () => open(['video']),
    }
  }
}

/** The peer connections of a test. */
export class FakeNetwork {
  readonly peers: FakePeer[] = []

  /** Of the peers, in their order. */
  readonly configurations: RTCConfiguration[] = []

  readonly create = (configuration: RTCConfiguration): RTCPeerConnection => {
    this.configurations.push(configuration)

    const peer = new FakePeer(this, this.peers.length)
    this.peers.push(peer)
    return peer as unknown as RTCPeerConnection
  }

  /** Breaks all connections until ICE restarts. */
  break(): void {
    for (const peer of this.peers) peer.fail()
  }
}

interface Description {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
  toJSON(): unknown
}

export class FakePeer extends EventTarget {
  readonly #network: FakeNetwork
  readonly id: number
  signalingState: RTCSignalingState = 'stable'
  connectionState: RTCPeerConnectionState = 'new'
  localDescription: Description | null = null
  /** Offers that were withdrawn for the other side's. */
  rollbacks = 0
  restarts = 0
  remoteId: number | null = null
  #hasCandidate = false
  #tracks = 0
  #negotiated = 0
  #isRestarting = false

  constructor(network: FakeNetwork, id: number) {
    super()
    this.#network = network
    this.id = id
  }

  addTrack(): { replaceTrack(track: unknown): Promise<void> } {
    this.#tracks += 1
    this.#checkNeeded()
    return { replaceTrack: async () => {} }
  }

  restartIce(): void {
    this.restarts += 1
    this.#isRestarting = true
    this.#checkNeeded()
  }

  async setLocalDescription(): Promise<void> {
    await Promise.resolve()
    if (this.signalingState === 'closed') throw new Error('InvalidStateError')
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer'
    this.signalingState = type === 'answer' ? 'stable' : 'have-local-offer'
    this.#negotiated = this.#tracks
    const sdp = `${this.id} ${this.#isRestarting ? 'restart' : ''}\r\n${PADDING}`
    this.#isRestarting = false
    this.localDescription = { type, sdp, toJSON: () => ({ type, sdp }) }
    const candidate = { toJSON: () => ({ candidate: `of ${this.id}` }) }
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }))
    this.#stateChanged()
  }

  async setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve()
    if (type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error('InvalidStateError')
    if (type === 'offer' && this.signalingState === 'have-local-offer') {
      this.rollbacks += 1
      this.#negotiated = 0
    }
    this.remoteId = Number(sdp.split(' ')[0])
    this.signalingState = type === 'offer' ? 'have-remote-offer' : 'stable'
    const streams = [{ of: this.remoteId }]
    this.dispatchEvent(Object.assign(new Event('track'), { streams }))
    if (sdp.includes('restart') && this.connectionState === 'failed') this.connectionState = 'connecting'
    this.#stateChanged()
  }

  async addIceCandidate(): Promise<void> {
    if (this.remoteId === null) throw new Error('InvalidStateError')
    this.#hasCandidate = true
    this.#stateChanged()
  }

  fail(): void {
    if (this.signalingState !== 'closed') this.#connection('failed')
  }

  close(): void {
    this.signalingState = 'closed'
    this.connectionState = 'closed'
  }

  #checkNeeded(): void {
    queueMicrotask(() => {
      if (this.signalingState !== 'stable') return
      if (this.#tracks > this.#negotiated || this.#isRestarting) {
        this.dispatchEvent(new Event('negotiationneeded'))
      }
    })
  }

  #stateChanged(): void {
    if (this.signalingState === 'stable') this.#checkNeeded()
    const other = this.#network.peers[this.remoteId ?? -1]
    if (!other || !this.#isSettled() || !other.#isSettled() || other.remoteId !== this.id) return
    for (const peer of [this, other]) if (peer.connectionState !== 'connected') peer.#connection('connected')
  }

  #isSettled(): boolean {
    return this.signalingState === 'stable' && this.#hasCandidate && !this.#isRestarting
  }

  #connection(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.dispatchEvent(new Event('connectionstatechange'))
  }
}
