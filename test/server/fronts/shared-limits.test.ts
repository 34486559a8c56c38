import { describe, expect, it } from 'vitest'
import { SharedLimits } from '../../../server/fronts/shared-limits.ts'
import { eventually } from '../../support/conditions.ts'
import { SocketClient } from '../../support/socket-client.ts'
import { connect, tokenOf } from '../operation/server.ts'
import { startFronts } from './fronts-harness.ts'

describe('shared limits', () => {
  // LIM-2, RES-1
  it('close no session for one that is continued, and count it until the earlier link has ended', () => {
    const clock = { ms: 0 }
    const limits = new SharedLimits({ rateLimit: 0, maxSessionsPerUser: 3, now: () => clock.ms })
    const closed: string[] = []
    const open = (name: string, isContinued = false) => {
      clock.ms += 1
      return limits.opened('ana', (reason) => closed.push(`${name} ${reason}`), isContinued)
    }
    open('silent')
    const earlier = [open('one'), open('two')]
    open('one again', true)
    open('two again', true)
    expect(closed).toEqual([])
    for (const session of earlier) limits.closed(session)
    open('new')
    expect(closed).toEqual(['silent too_many_sessions'])
  })
})

describe('the limits of two fronts', () => {
  // LIM-1
  it('charge a user’s requests to both together', async () => {
    const limits = { rateLimit: 10 }
    const [one, two] = await startFronts(limits, limits)
    const [first, second] = [await connect(one, 'ana'), await connect(two, 'ana')]
    for (let ref = 1; ref <= 5; ref++) {
      for (const client of [first, second]) {
        client.send('leave_group', ref, { groupId: 'nowhere' })
        expect((await client.next('error')).fields.code).toBe('not_found')
      }
    }
    for (const client of [first, second]) {
      client.send('leave_group', 6, { groupId: 'nowhere' })
      const { fields } = await client.next('error')
      expect(fields).toMatchObject({ code: 'rate_limited' })
      expect(fields.retryAfterMs).toBeGreaterThan(0)
    }
    // Reads have a budget of their own, and another user has theirs.
    first.send('get_groups', 7, {})
    await first.next('groups')
    const bruno = await connect(two, 'bruno')
    bruno.send('leave_group', 1, { groupId: 'nowhere' })
    expect((await bruno.next('error')).fields.code).toBe('not_found')
  })

  // LIM-1
  it('close a connection that ignores refusals of the engine', async () => {
    const [one, two] = await startFronts({ rateLimit: 10 }, { rateLimit: 10 })
    const [first, second] = [await connect(one, 'ana'), await connect(two, 'ana')]
    for (let ref = 1; ref <= 10; ref++) first.send('leave_group', ref, { groupId: 'nowhere' })
    await first.first((event) => event.event === 'error' && event.ref === 10)
    for (let ref = 1; ref <= 40; ref++) second.send('leave_group', ref, { groupId: 'nowhere' })
    expect((await second.closed()).code).toBe(4029)
  })

  // LIM-1
  it('charge requests over HTTP likewise', async () => {
    const [one, two] = await startFronts({ rateLimit: 4 }, { rateLimit: 4 })
    const authorization = `Bearer ${await tokenOf('ana')}`
    const post = async (url: string) => {
      const init = { method: 'POST', headers: { authorization }, body: '{"kind":"group"}' }
      return (await fetch(`${url}/api/chat/groups`, init)).status
    }
    const statuses = [await post(one.url), await post(two.url), await post(one.url), await post(two.url)]
    expect(statuses).not.toContain(429)
    expect([await post(one.url), await post(two.url)]).toEqual([429, 429])
  })

  // LIM-2
  it('close the session that has made no request for longest, whichever front has it', async () => {
    const limits = { maxSessionsPerUser: 3 }
    const [one, two] = await startFronts(limits, limits)
    const clients = [await connect(one, 'ana'), await connect(two, 'ana'), await connect(one, 'ana')]
    const [first, second, third] = clients as [SocketClient, SocketClient, SocketClient]
    first.send('get_groups', 1, {})
    await first.next('groups')
    const newest = await connect(two, 'ana')
    expect((await second.closed()).code).toBe(4409)
    for (const [ref, client] of [first, third, newest].entries()) {
      client.send('get_groups', ref + 2, {})
      await client.next('groups')
    }
    // An ended session makes room.
    third.ws.terminate()
    await eventually(async () => {
      const again = await connect(one, 'bruno')
      again.ws.terminate()
    })
    const last = await connect(one, 'ana')
    for (const client of [first, newest, last]) {
      client.send('get_groups', 9, {})
      await client.next('groups')
    }
  })

  // AUT-2
  it('block an address that failed on both together', async () => {
    const limits = { authFailureLimit: 4 }
    const [one, two] = await startFronts(limits, limits)
    for (const { port } of [one, two, one, two]) {
      const client = new SocketClient(port, { token: 'no-token' })
      expect((await client.closed()).code).toBe(4401)
    }
    for (const { port } of [one, two]) {
      await eventually(async () => {
        const client = new SocketClient(port, { token: 'no-token' })
        const refused = client.refused()
        const { status } = await Promise.race([refused, client.closed().then(() => ({ status: 0 }))])
        expect(status).toBe(429)
      })
    }
  })
})
