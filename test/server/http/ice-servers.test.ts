import { describe, expect, it } from 'vitest'
import { startServer, tokenOf } from '../operation/server.ts'

const iceServers = [
  { urls: 'stun:stun.example.org' },
  { urls: ['turn:turn.example.org:3478'], username: 'chat', credential: 'hunter2' },
]

describe('the STUN and TURN servers', () => {
  it('are for users with a token, and not for caches', async () => {
    const server = await startServer({ iceServers })
    const url = `${server.url}/api/chat/ice-servers`
    const refused = await fetch(url)
    expect(refused.status).toBe(401)
    expect(await refused.text()).not.toContain('example.org')
    const answer = await fetch(url, { headers: { authorization: `Bearer ${await tokenOf('ana')}` } })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(await answer.json()).toEqual({ iceServers })
  })

  it('are none by default', async () => {
    const server = await startServer()
    const answer = await fetch(`${server.url}/api/chat/ice-servers`, {
      headers: { authorization: `Bearer ${await tokenOf('ana')}` },
    })
    expect(await answer.json()).toEqual({ iceServers: [] })
  })
})
