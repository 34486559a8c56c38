/**
 * A gateway without an engine: it sends `connected` for every session, stores the received frames, and
 * lets a test decide what is sent, so that the front end is tested alone and to the byte.
 */
import type { Gateway, Identity, Publisher, SessionPort } from '../../engine/hub/gateway.ts'
import { decodeRequest, encodeEvent } from '../../protocol/codec.ts'
import type { FrameView } from '../../protocol/frame-view.ts'
import { type Request, requests } from '../../protocol/requests.ts'

export interface FakeSession {
  readonly number: number
  identity: Identity
  readonly port: SessionPort
  readonly requests: Request[]
  closed: boolean
}

export class FakeGateway implements Gateway {
  readonly sessions: FakeSession[] = []
  readonly publishers = new Set<Publisher>()
  /** `connected` is sent at once; otherwise a test calls `sendConnected`. */
  connectedIsSent: 'at once' | 'by hand' = 'at once'
  /** Called with each request; may answer, or throw a `ChatError`. */
  onRequest: (session: FakeSession, request: Request) => void = () => {}

  open(identity: Identity, port: SessionPort): number {
    const session: FakeSession = { number: this.sessions.length, identity, port, requests: [], closed: false }
    this.sessions.push(session)
    if (this.connectedIsSent === 'at once') this.sendConnected(session)
    return session.number
  }

  sendConnected(session: FakeSession): void {
    session.port.send(connectedFrame(session))
  }

  receive(number: number, frame: Uint8Array, view: FrameView): void {
    const session = this.session(number)
    const request = decodeRequest(frame.slice())
    if (request.ref !== view.ref || requests[request.event] !== view.row) {
      throw new Error('the view is not of this frame')
    }
    session.requests.push(request)
    this.onRequest(session, request)
  }

  renew(number: number, identity: Identity): void {
    this.session(number).identity = identity
  }

  closed(number: number): void {
    const session = this.session(number)
    if (session.closed) throw new Error(`session ${number} was closed twice`)
    session.closed = true
  }

  addPublisher(publisher: Publisher): () => void {
    this.publishers.add(publisher)
    return () => this.publishers.delete(publisher)
  }

  publish(topic: string, frame: Uint8Array): void {
    for (const publisher of this.publishers) publisher.publish(topic, frame)
  }

  session(number: number): FakeSession {
    const session = this.sessions[number]
    if (!session) throw new Error(`there is no session ${number}`)
    return session
  }
}

function connectedFrame({ number, identity }: FakeSession): Uint8Array {
  return encodeEvent('connected', 0, {
    message: 'welcome',
    userId: identity.userId,
    timestamp: 0,
    sessionId: String(number),
    serverVersion: 'fake',
    limits: { maxMessageBytes: 0, maxContentBytes: 0, rateLimit: 0, resumeEvents: 0 },
    groups: [],
  })
}
