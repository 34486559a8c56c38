import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../../protocol/codec.ts'
import { type FrameView, viewFrame } from '../../../protocol/frame-view.ts'
import { FrontSession } from '../../../server/link/front-sessions.ts'
import type { LinkedFront, LinkedFrontDeps } from '../../../server/link/linked-front.ts'
import { LinkedPort } from '../../../server/link/linked-port.ts'
import { WaitingRequests } from '../../../server/link/waiting-requests.ts'

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
    const port = new LinkedPort({} as LinkedFront, 1, { engine } as unknown as LinkedFrontDeps)
    port.received(viewed(0).frame)
    expect(port.unanswered).toBe(0)
    port.received(viewed(7).frame)
    expect(port.unanswered).toBe(1)
  })
})
