import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest } from '../../../protocol/codec.ts'
import { type FrameView, viewFrame } from '../../../protocol/frame-view.ts'
import { refOf } from '../../../server/frame-ref.ts'
import { FrontSession } from '../../../server/link/front-sessions.ts'
import type { LinkedFront, LinkedFrontDeps } from '../../../server/link/linked-front.ts'
import { LinkedPort } from '../../../server/link/linked-port.ts'
import { StatusWait } from '../../../server/link/status-wait.ts'
import { WaitingRequests } from '../../../server/link/waiting-requests.ts'
import { refusal } from '../../support/sessions.ts'

const viewed = (ref: number) => {
  const frame = encodeRequest('typing_start', ref, { groupId: 'team' })
  return { frame, view: viewFrame(frame) as FrameView }
}

describe('requests with ref 0, whose answer looks like an event', () => {
  it('do not stay after they were sent', () => {
    const waiting = new WaitingRequests()
    const session = new FrontSession(1, {} as never, { userId: 'ana' })
    const { frame, view } = viewed(0)
    for (let i = 0; i < 1_000; i++) waiting.sent(session, frame, view)
    expect([waiting.size, session.requests]).toEqual([0, null])
  })

  it('wait for a link in their order, and are sent once', () => {
    const waiting = new WaitingRequests()
    const session = new FrontSession(1, {} as never, { userId: 'ana' })
    for (const ref of [0, 7, 0]) waiting.hold(session, viewed(ref).frame, viewed(ref).view)
    expect(waiting.resend(session).map(({ ref }) => ref)).toEqual([0, 7, 0])
    expect(waiting.size).toBe(1)
    waiting.interrupted(session)
    expect(waiting.resend(session).map(({ ref }) => ref)).toEqual([7])
    waiting.answered(session, 7)
    expect([waiting.size, session.requests]).toEqual([0, null])
  })

  it('are no reason for an engine that stops to wait for their answers', () => {
    const engine = { gateway: { receive() {} } }
    const statusWait = new StatusWait(() => [], { after: () => () => {} })
    const port = new LinkedPort({} as LinkedFront, 1, { engine, statusWait } as unknown as LinkedFrontDeps)
    port.received(viewed(0).frame)
    expect(port.unanswered).toBe(0)
    port.received(viewed(7).frame)
    expect(port.unanswered).toBe(1)
  })
})

// RES-1
describe('a `resume` that is interrupted', () => {
  it('continues after what was received, also if a second one was refused meanwhile', () => {
    const waiting = new WaitingRequests()
    const session = new FrontSession(1, {} as never, { userId: 'ana' })
    for (const ref of [1, 2]) {
      const frame = encodeRequest('resume', ref, { groups: [['team', 3]] })
      waiting.sent(session, frame, viewFrame(frame) as FrameView)
    }
    session.replayed = new Map([['g:team', 7]])
    waiting.answered(session, 2)
    const [again] = waiting.resend(session)
    expect(decodeRequest(again?.frame as Uint8Array).fields).toEqual({ groups: [['team', 7]] })
    waiting.answered(session, 1)
    expect(session.replayed).toBe(null)
  })
})

// OVL-1
describe('requests without an answer are bounded', () => {
  const MAX_REQUESTS = 200_000
  const MAX_WAITING_BYTES = 64 * 1024 * 1024
  const overloaded = expect.objectContaining(refusal('overloaded'))
  const aSession = () => {
    const refs: number[] = []
    const port = { send: (frame: Uint8Array) => void refs.push(refOf(frame)) }
    return { refs, session: new FrontSession(1, port as never, { userId: 'ana' }) }
  }

  it('by their number, whether they were sent or wait', () => {
    const waiting = new WaitingRequests()
    const { session } = aSession()
    const { frame, view } = viewed(7)
    for (let i = 0; i < MAX_REQUESTS; i++) waiting.sent(session, frame, view)
    expect(() => waiting.sent(session, frame, view)).toThrow(overloaded)
    expect(() => waiting.hold(session, frame, view)).toThrow(overloaded)
    waiting.answered(session, 7)
    waiting.hold(session, frame, view)
    expect(waiting.size).toBe(MAX_REQUESTS)
    // What was refused does not count.
    waiting.drop(session)
    expect([waiting.size, waiting.waitingBytes]).toEqual([0, 0])
  })

  it('by the bytes of those that wait', () => {
    const waiting = new WaitingRequests()
    const { session, refs } = aSession()
    const { view } = viewed(7)
    const half = new Uint8Array(MAX_WAITING_BYTES / 2)
    waiting.hold(session, half, view)
    waiting.hold(session, half, view)
    const { frame } = viewed(8)
    expect(() => waiting.hold(session, frame, view)).toThrow(overloaded)
    // Those that are sent are in a batch of the link, which has a bound of its own.
    waiting.sent(session, frame, viewed(8).view)
    expect([waiting.size, waiting.waitingBytes]).toEqual([3, MAX_WAITING_BYTES])
    waiting.expire(session)
    expect([waiting.size, waiting.waitingBytes, refs]).toEqual([0, 0, [7, 7, 8]])
    waiting.hold(session, half, view)
    expect(waiting.resend(session).length).toBe(1)
    expect([waiting.size, waiting.waitingBytes]).toEqual([1, 0])
  })
})
