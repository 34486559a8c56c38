/**
 * Call: one call between this device and one device of another user, from the first ring to its end.
 *
 *   calling / ringing -> connecting -> connected <-> reconnecting -> ended
 *
 * Each state before `connected` has a time limit, and so has `reconnecting`; what is sent is repeated until
 * it is answered, because signals are not stored. The caller decides which device has the call: the first
 * whose `accept` arrives; it notifies the others.
 */
import type { Clock } from '../clock.ts'
import type { CallEnd, CallMessage, Envelope, SentMedia } from './call-message.ts'
import { CallSender, type CallSignals } from './call-sender.ts'
import type { CallInfo, CallView } from './call-view.ts'
import type { LocalMedia } from './local-media.ts'
import { Negotiation } from './negotiation.ts'

/** What the calls of a device share. */
export interface CallContext {
  readonly signals: CallSignals
  readonly clock: Clock
  readonly deviceId: string
  /** STUN and TURN servers for a call; without them it connects within one network only. */
  readonly iceServers: () => Promise<readonly RTCIceServer[]>
  readonly createPeer: (configuration: RTCConfiguration) => RTCPeerConnection
  /** Numbers the messages of the device. */
  readonly nextNumber: () => number
  readonly show: (view: CallView) => void
}

export interface CallPlan
  extends Pick<CallInfo, 'callId' | 'groupId' | 'userId' | 'direction' | 'withVideo'> {
  readonly media: LocalMedia
  /** The calling device of an incoming call. */
  readonly peerDevice: string | null
}

type Phase = Exclude<CallView['state'], 'idle'>

const RING_MS = 45_000
const RING_EVERY_MS = 3_000
/** An incoming call whose ring is not repeated for this time has ended. */
const RING_LOST_MS = 10_000
const ACCEPT_EVERY_MS = 5_000
const CONNECT_MS = 30_000

export class Call {
  readonly plan: CallPlan
  readonly #context: CallContext
  readonly #sender: CallSender
  #phase: Phase
  #peerDevice: string | null
  #negotiation: Negotiation | null = null
  #isRinging = false
  #connectedAt: number | null = null
  #reason: CallEnd = 'hung_up'
  #remote: SentMedia = { muted: false, video: null }
  #remoteStream: MediaStream | null = null
  #iceServers: readonly RTCIceServer[] = []
  #cancelLimit = () => {}
  #cancelRepeat = () => {}

  constructor(plan: CallPlan, context: CallContext) {
    this.plan = plan
    this.#context = context
    this.#peerDevice = plan.peerDevice
    this.#phase = plan.direction === 'out' ? 'calling' : 'ringing'
    this.#sender = new CallSender({
      ...context,
      groupId: plan.groupId,
      toUserId: plan.userId,
      refused: () => this.end('failed'),
    })
    plan.media.changed = () => {
      if (this.isAnswered) this.#sendMedia()
      this.#show()
    }
    this.#show()
  }

  get phase(): Phase {
    return this.#phase
  }

  get isAnswered(): boolean {
    return this.#phase === 'connecting' || this.#phase === 'connected' || this.#phase === 'reconnecting'
  }

  /** Calls the other user. */
  async start(): Promise<void> {
    if (!(await this.#prepare(this.plan.withVideo))) return
    this.#limit(RING_MS, 'no_answer')
    this.#repeat(RING_EVERY_MS, () => this.#send({ type: 'ring', withVideo: this.plan.withVideo }))
  }

  /** The caller's device rings here, or still does. */
  rings(): void {
    if (this.#phase !== 'ringing') return
    this.#send({ type: 'ringing' })
    this.#limit(RING_LOST_MS, 'missed')
  }

  async accept(withVideo: boolean): Promise<void> {
    if (this.#phase !== 'ringing') return
    this.#phase = 'connecting'
    this.#limit(CONNECT_MS, 'failed')
    this.#show()
    if (!(await this.#prepare(withVideo))) return
    this.#connect()
    this.#repeat(ACCEPT_EVERY_MS, () => this.#send({ type: 'accept' }))
  }

  /** A message of the other user about this call. */
  receive({ from, to, message }: Envelope): void {
    if (this.#phase === 'ended' || (to !== undefined && to !== this.#context.deviceId)) return
    if (this.#phase === 'calling') this.#receiveWhileCalling(from, message)
    else if (from === this.#peerDevice) this.#receiveFromPeer(message)
    else if (message.type === 'accept') this.#sendToAll({ type: 'answered', by: this.#peerDevice ?? '' })
  }

  /** Ends the call here and, if the other side does not know it, there. */
  end(reason: CallEnd, isKnown = false): void {
    if (this.#phase === 'ended') return
    const sent = reason === 'no_media' ? 'failed' : reason
    if (!isKnown && reason !== 'missed') this.#sendToAll({ type: 'end', reason: sent })
    this.#phase = 'ended'
    this.#reason = reason
    this.#stop()
    this.plan.media.stop()
    this.#show()
  }

  /** Ends this call in favour of the other user's call; returns the media for that. */
  yieldMedia(): LocalMedia {
    this.#sendToAll({ type: 'end', reason: 'hung_up' })
    this.#phase = 'ended'
    this.#stop()
    return this.plan.media
  }

  #receiveWhileCalling(from: string, message: CallMessage): void {
    if (message.type === 'ringing') {
      this.#isRinging = true
      this.#show()
    } else if (message.type === 'accept') {
      this.#peerDevice = from
      this.#phase = 'connecting'
      this.#cancelRepeat()
      this.#limit(CONNECT_MS, 'failed')
      this.#sendToAll({ type: 'answered', by: from })
      this.plan.media.attach(this.#connect())
      this.#show()
    } else if (message.type === 'end') {
      // The user's other devices stop ringing.
      this.#sendToAll({ type: 'end', reason: message.reason })
      this.end(message.reason, true)
    }
  }

  #receiveFromPeer(message: CallMessage): void {
    switch (message.type) {
      case 'end':
        this.end(this.#phase === 'ringing' && message.reason !== 'declined' ? 'missed' : message.reason, true)
        break
      case 'answered':
        if (message.by !== this.#context.deviceId) this.end('answered_elsewhere', true)
        break
      case 'accept':
        this.#negotiation?.resend()
        break
      case 'media':
        this.#remote = message.media
        this.#show()
        break
      case 'description':
      case 'candidates':
        // The caller answers an `accept` by an offer.
        this.#cancelRepeat()
        this.#negotiation?.receive(message)
    }
  }

  #connect(): RTCPeerConnection {
    const { signals, clock, createPeer } = this.#context
    const { media, userId } = this.plan
    const peer = createPeer({ iceServers: [...this.#iceServers] })
    peer.addEventListener('track', ({ streams: [stream] }) => {
      this.#remoteStream = stream ?? null
      this.#show()
    })
    peer.addEventListener('connectionstatechange', () => this.#onConnectionState(peer.connectionState))
    this.#negotiation = new Negotiation({
      peer,
      clock,
      isPolite: signals.me.getSnapshot().userId > userId,
      send: (message) => this.#send(message),
      answering: () => media.attach(peer),
    })
    return peer
  }

  #onConnectionState(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      this.#phase = 'connected'
      this.#connectedAt ??= Date.now()
      this.#cancelLimit()
      this.#sendMedia()
    } else if (this.#phase === 'connected' && (state === 'disconnected' || state === 'failed')) {
      this.#phase = 'reconnecting'
      this.#limit(CONNECT_MS, 'failed')
    }
    this.#show()
  }

  /** Opens the microphone and reads the servers; returns whether the call continues. */
  async #prepare(withVideo: boolean): Promise<boolean> {
    const reading = this.#context.iceServers().catch(() => [])
    try {
      await this.plan.media.open(withVideo)
      this.#iceServers = await reading
    } catch {
      this.end('no_media')
    }
    return this.#phase !== 'ended'
  }

  #sendMedia(): void {
    const { muted, video } = this.plan.media.view
    this.#send({ type: 'media', media: { muted, video } })
  }

  #send(message: CallMessage): void {
    this.#sendTo(this.#peerDevice ?? undefined, message)
  }

  #sendToAll(message: CallMessage): void {
    this.#sendTo(undefined, message)
  }

  #sendTo(to: string | undefined, message: CallMessage): void {
    if (this.#phase === 'ended') return
    const { deviceId, nextNumber } = this.#context
    this.#sender.send({ callId: this.plan.callId, from: deviceId, to, message }, nextNumber())
  }

  #limit(ms: number, reason: CallEnd): void {
    this.#cancelLimit()
    this.#cancelLimit = this.#context.clock.after(ms, () => this.end(reason))
  }

  #repeat(ms: number, send: () => void): void {
    send()
    this.#cancelRepeat = this.#context.clock.after(ms, () => this.#repeat(ms, send))
  }

  #stop(): void {
    this.#cancelLimit()
    this.#cancelRepeat()
    this.#negotiation?.close()
    this.#sender.close()
  }

  #show(): void {
    const { media, peerDevice: _, ...info } = this.plan
    const remote = { ...this.#remote, stream: this.#remoteStream }
    const shown = { ...info, local: media.view, remote }
    const connectedAt = this.#connectedAt
    const { show } = this.#context
    if (this.#phase === 'calling') show({ ...shown, state: 'calling', isRinging: this.#isRinging })
    else if (this.#phase === 'ended') show({ ...shown, state: 'ended', reason: this.#reason, connectedAt })
    else if (this.#phase === 'ringing' || this.#phase === 'connecting') show({ ...shown, state: this.#phase })
    else show({ ...shown, state: this.#phase, connectedAt: connectedAt ?? 0 })
  }
}
