/**
 * Peer calls: one-to-one audio and video calls of the user on this device, over `signal` and WebRTC.
 *
 * There is one call at a time; a second caller receives `busy`. All devices of the called user ring, one
 * answers. If two users call each other at the same time, the call of the user with the lower id connects
 * and the other user's device answers it by itself.
 */
import { type Clock, systemClock } from '../clock.ts'
import type { View } from '../store/types.ts'
import { ViewCell } from '../store/view-cell.ts'
import { makeTempId } from '../temp-id.ts'
import { Call, type CallContext } from './call.ts'
import { CALL_KIND, type Envelope, MessageReader } from './call-message.ts'
import { CallSender, type CallSignals } from './call-sender.ts'
import type { CallView } from './call-view.ts'
import { LocalMedia, type MediaDevicesLike } from './local-media.ts'

export interface PeerCallsOptions {
  /**
   * STUN and TURN servers. Without them calls connect within one network only. A function is called for
   * each call, which waits for it; if it rejects the call has none.
   */
  readonly iceServers?: readonly RTCIceServer[] | (() => Promise<readonly RTCIceServer[]>) | undefined
  /** Creates a peer connection; the browser's own by default. */
  readonly createPeer?: ((configuration: RTCConfiguration) => RTCPeerConnection) | undefined
  /** Microphone, camera and screen; those of the browser by default. */
  readonly devices?: MediaDevicesLike | undefined
  /** Time, for tests. */
  readonly clock?: Clock | undefined
}

/**
 * The calls of a user on this device.
 *
 * @example
 * ```ts
 * const calls = new PeerCalls(store, { iceServers: [{ urls: 'stun:stun.example.org' }] })
 * calls.view.subscribe(() => show(calls.view.getSnapshot()))
 * await calls.call({ groupId, userId: 'bruno', withVideo: true })
 * calls.hangUp()
 * ```
 */
export class PeerCalls {
  /** The current call; `idle` for none. */
  readonly view: View<CallView>
  readonly #state = new ViewCell<CallView>({ state: 'idle' })
  readonly #reader = new MessageReader()
  readonly #context: CallContext
  readonly #devices: () => MediaDevicesLike
  readonly #stopListening: () => void
  #current: Call | null = null
  #sent = 0

  /** `signals`: a `Store`, or the same methods over a `ChatClient`. */
  constructor(signals: CallSignals, options: PeerCallsOptions = {}) {
    const { iceServers = [], clock = systemClock } = options
    const { createPeer = (configuration) => new RTCPeerConnection(configuration), devices } = options
    this.view = this.#state
    this.#devices = () => devices ?? navigator.mediaDevices
    this.#context = {
      signals,
      clock,
      deviceId: makeTempId(),
      iceServers: typeof iceServers === 'function' ? iceServers : async () => iceServers,
      createPeer,
      nextNumber: () => {
        this.#sent += 1
        return this.#sent
      },
      show: (view) => this.#state.set(view),
    }
    this.#stopListening = signals.onSignal(({ groupId, fromUserId, kind, payload }) => {
      if (kind !== CALL_KIND) return
      const envelope = this.#reader.read(fromUserId, payload)
      if (envelope) this.#receive(groupId, fromUserId, envelope)
    })
    // The other side need not wait until the connection fails.
    globalThis.addEventListener?.('pagehide', this.#onPageHide)
  }

  /** Calls a member of a group. Does nothing during another call. */
  async call(to: {
    readonly groupId: string
    readonly userId: string
    readonly withVideo: boolean
  }): Promise<void> {
    if (this.#isBusy()) return
    const plan = { ...to, callId: makeTempId(), direction: 'out', peerDevice: null } as const
    this.#current = new Call({ ...plan, media: this.#media() }, this.#context)
    await this.#current.start()
  }

  /** Answers the call that rings; with video if the caller has it, unless `withVideo` states otherwise. */
  async accept(withVideo?: boolean): Promise<void> {
    await this.#current?.accept(withVideo ?? this.#current.plan.withVideo)
  }

  /** Ends the current call, or declines the one that rings. */
  hangUp(): void {
    this.#current?.end(this.#current.phase === 'ringing' ? 'declined' : 'hung_up')
  }

  setMuted(muted: boolean): void {
    this.#current?.plan.media.mute(muted)
  }

  /** Sends the camera, the screen, or no video. Rejects if the browser or the user does not allow it. */
  async setVideo(video: 'camera' | 'screen' | null): Promise<void> {
    await this.#current?.plan.media.show(video)
  }

  /** Removes an ended call from the view. */
  dismiss(): void {
    if (!this.#isBusy()) this.#state.set({ state: 'idle' })
  }

  /** Hangs up, and receives no more calls. */
  close(): void {
    this.hangUp()
    this.#stopListening()
    globalThis.removeEventListener?.('pagehide', this.#onPageHide)
  }

  readonly #onPageHide = () => this.hangUp()

  #isBusy(): boolean {
    return this.#current !== null && this.#current.phase !== 'ended'
  }

  #media(): LocalMedia {
    return new LocalMedia(this.#devices())
  }

  #receive(groupId: string, userId: string, envelope: Envelope): void {
    const { callId, from, message } = envelope
    const current = this.#current
    if (current?.plan.callId === callId) {
      if (current.plan.userId !== userId) return
      if (message.type === 'ring') current.rings()
      else current.receive(envelope)
      return
    }
    if (message.type !== 'ring') return
    if (!current || !this.#isBusy()) {
      this.#ring(groupId, userId, envelope, this.#media())
    } else if (current.phase === 'calling' && current.plan.userId === userId) {
      // Both call each other: the one with the lower id continues.
      if (this.#context.signals.me.getSnapshot().userId < userId) return
      void this.#ring(groupId, userId, envelope, current.yieldMedia()).accept(current.plan.withVideo)
    } else {
      this.#sendBusy(groupId, userId, callId, from)
    }
  }

  #ring(groupId: string, userId: string, { callId, from, message }: Envelope, media: LocalMedia): Call {
    const withVideo = message.type === 'ring' && message.withVideo === true
    const plan = { callId, groupId, userId, direction: 'in', withVideo, peerDevice: from, media } as const
    const call = new Call(plan, this.#context)
    this.#current = call
    call.rings()
    return call
  }

  #sendBusy(groupId: string, toUserId: string, callId: string, to: string): void {
    const sender = new CallSender({ ...this.#context, groupId, toUserId, refused: () => {} })
    const message = { type: 'end', reason: 'busy' } as const
    sender.send({ callId, from: this.#context.deviceId, to, message }, this.#context.nextNumber())
    sender.close()
  }
}
