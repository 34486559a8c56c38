/**
 * PRS-1: a socket that does not answer pings is closed. The built-in transport measures the silence with an
 * interval, whose time the test moves; uWebSockets.js does it in native code, with the same limit.
 */
import { afterEach, expect, it, vi } from 'vitest'
import { IDLE_TIMEOUT_SECONDS } from '../../../server/front-end.ts'
import { nodeTransport } from '../../../server/transport/node/transport.ts'
import { eventually } from '../../support/conditions.ts'
import { startApp } from './app.ts'

afterEach(() => {
  vi.useRealTimers()
})

// PRS-1
it('closes a socket that does not answer pings after 45 seconds, and leaves one that answers open', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const answered: string[] = []
  const { client, peers } = await startApp(nodeTransport, {
    behavior: { idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS, pong: ({ name }) => answered.push(name) },
  })
  const silent = await client('/ws?silent', { autoPong: false })
  let pings = 0
  silent.ws.on('ping', () => {
    pings += 1
  })
  await client('/ws?answers')
  const isClosed = () => Object.fromEntries(peers.map((peer) => [peer.name, peer.isClosed]))
  await eventually(() => expect(isClosed()).toEqual({ silent: false, answers: false }))

  vi.advanceTimersByTime(30_000)
  await eventually(() => expect([pings, answered]).toEqual([1, ['answers']]))
  vi.advanceTimersByTime(14_000)
  await eventually(() => expect(pings).toBe(3))
  expect(isClosed()).toEqual({ silent: false, answers: false })
  vi.advanceTimersByTime(1_000)
  await silent.closed
  await eventually(() => expect(isClosed()).toEqual({ silent: true, answers: false }))
})
