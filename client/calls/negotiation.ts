/**
 * Negotiation: the descriptions and candidates of one peer connection ("perfect negotiation", WebRTC 1.0).
 *
 * Both sides may offer at any time. If offers cross, the impolite side ignores the other's and the polite
 * side withdraws its own. Candidates are collected for `COLLECT_MS` and sent together. An offer without an
 * answer is sent again, because a signal is lost while its receiver is disconnected. A connection that
 * fails, or stays disconnected, restarts ICE.
 */
import type { Clock } from '../clock.ts'
import type { CallMessage } from './call-message.ts'

type NegotiationMessage = Extract<CallMessage, { readonly type: 'description' | 'candidates' }>

export interface NegotiationOptions {
  readonly peer: RTCPeerConnection
  readonly isPolite: boolean
  readonly clock: Clock
  readonly send: (message: NegotiationMessage) => void
  /** Called before the first answer: adds the tracks that answer those of the offer. */
  readonly answering: () => void
}

const COLLECT_MS = 50
const RESEND_MS = 5_000
const DISCONNECTED_MS = 3_000

export class Negotiation {
  readonly #options: NegotiationOptions
  #candidates: RTCIceCandidateInit[] = []
  #isOffering = false
  #ignoresOffer = false
  #isSettingAnswer = false
  /** Messages are handled one after the other. */
  #handled: Promise<void> = Promise.resolve()
  #cancelCollect: (() => void) | null = null
  #cancelResend = () => {}
  #cancelRestart = () => {}

  constructor(options: NegotiationOptions) {
    this.#options = options
    const { peer, clock } = options
    peer.addEventListener('negotiationneeded', () => void this.#offer())
    peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate) this.#collect(candidate.toJSON())
    })
    peer.addEventListener('connectionstatechange', () => {
      this.#cancelRestart()
      if (peer.connectionState === 'failed') peer.restartIce()
      if (peer.connectionState === 'disconnected') {
        this.#cancelRestart = clock.after(DISCONNECTED_MS, () => peer.restartIce())
      }
    })
  }

  receive(message: NegotiationMessage): void {
    this.#handled = this.#handled.then(async () => {
      try {
        if (message.type === 'description') await this.#describe(message.description)
        else await this.#addCandidates(message.candidates)
      } catch {
        // A late or repeated message does not fit the state; what is missing is sent again.
      }
    })
  }

  /** Sends the offer that has no answer again. */
  resend(): void {
    const { peer, send } = this.#options
    if (peer.signalingState !== 'have-local-offer' || !peer.localDescription) return
    send({ type: 'description', description: plain(peer.localDescription) })
    this.#resendLater()
  }

  close(): void {
    this.#cancelCollect?.()
    this.#cancelResend()
    this.#cancelRestart()
    this.#options.peer.close()
  }

  async #offer(): Promise<void> {
    const { peer } = this.#options
    try {
      this.#isOffering = true
      await peer.setLocalDescription()
      this.#sendLocal()
    } catch {
      // The other side's offer arrived meanwhile, or the call has ended.
    } finally {
      this.#isOffering = false
    }
  }

  async #describe(description: RTCSessionDescriptionInit): Promise<void> {
    const { peer, isPolite, answering } = this.#options
    const isReady = !this.#isOffering && (peer.signalingState === 'stable' || this.#isSettingAnswer)
    const collides = description.type === 'offer' && !isReady
    this.#ignoresOffer = !isPolite && collides
    if (this.#ignoresOffer) return
    this.#isSettingAnswer = description.type === 'answer'
    try {
      await peer.setRemoteDescription(description)
    } finally {
      this.#isSettingAnswer = false
    }
    this.#cancelResend()
    if (description.type !== 'offer') return
    answering()
    await peer.setLocalDescription()
    this.#sendLocal()
  }

  async #addCandidates(candidates: readonly RTCIceCandidateInit[]): Promise<void> {
    if (this.#ignoresOffer) return
    for (const candidate of candidates) await this.#options.peer.addIceCandidate(candidate)
  }

  #sendLocal(): void {
    const { localDescription } = this.#options.peer
    if (!localDescription) return
    this.#options.send({ type: 'description', description: plain(localDescription) })
    if (localDescription.type === 'offer') this.#resendLater()
  }

  #resendLater(): void {
    this.#cancelResend()
    this.#cancelResend = this.#options.clock.after(RESEND_MS, () => this.resend())
  }

  #collect(candidate: RTCIceCandidateInit): void {
    this.#candidates.push(candidate)
    this.#cancelCollect ??= this.#options.clock.after(COLLECT_MS, () => {
      this.#cancelCollect = null
      this.#options.send({ type: 'candidates', candidates: this.#candidates })
      this.#candidates = []
    })
  }
}

function plain({ type, sdp }: RTCSessionDescription): RTCSessionDescriptionInit {
  return { type, sdp }
}
