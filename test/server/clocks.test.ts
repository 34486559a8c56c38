import { afterEach, describe, expect, it } from 'vitest'
import { type Harness, startFrontEnd, tokenOf } from './front-end-harness.ts'

const HOUR_MS = 3_600_000

let server: Harness

afterEach(() => server.close())

// TIM-1
describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('the clock set %s by an hour', (_, byMs) => {
  it('does not change the deadline for a token', async () => {
    server = await startFrontEnd()
    const silent = await server.client().up()
    server.setClock(byMs)
    server.advance(9_000)
    expect(server.frontEnd.connections).toBe(1)
    server.advance(1_000)
    expect((await silent.closed()).code).toBe(4401)
  })

  it('does not change the end of an address block', async () => {
    server = await startFrontEnd({ authFailureLimit: 1 })
    expect((await server.client({ token: 'bad' }).closed()).code).toBe(4401)
    server.setClock(byMs)
    server.advance(59_000)
    expect((await server.client().refused()).status).toBe(429)
    server.advance(1_000)
    await server.client().up()
  })
})

describe('a session that the engine does not open', () => {
  it('is closed after ten seconds, to be retried', async () => {
    server = await startFrontEnd()
    server.gateway.connectedIsSent = 'by hand'
    const client = server.client({ token: await tokenOf('ana') })
    await expect.poll(() => server.gateway.sessions.length).toBe(1)
    server.advance(9_999)
    expect(server.gateway.session(0).closed).toBe(false)
    server.advance(1)
    expect((await client.closed()).code).toBe(1013)
  })
})
