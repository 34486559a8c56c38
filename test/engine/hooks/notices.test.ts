import { describe, expect, it } from 'vitest'
import type { Hooks } from '../../../engine/hooks/hooks.ts'
import { Notices } from '../../../engine/hooks/notices.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { eventually } from '../../support/conditions.ts'
import { aMessage } from '../../support/scripted-server.ts'

function someNotices(hooks: Hooks) {
  const clock = new ManualClock()
  const logged: string[] = []
  const log = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const notices = new Notices({
    hooks,
    timeoutMs: 2_000,
    logger: { info() {}, warn: log, error: log },
    after: (delayMs, then) => clock.after(delayMs, then),
  })
  return { notices, clock, logged }
}

const users = (count: number) => Array.from({ length: count }, (_, i) => `u${i}`)

describe('notices', () => {
  it('are delivered in order: the message, then its offline members', async () => {
    const notified: string[] = []
    const { notices } = someNotices({
      afterMessage: ({ content }) => void notified.push(content),
      userOffline: ({ userId, message }) => void notified.push(`${userId} ${message.content}`),
    })
    notices.posted({ message: aMessage('g', 1), change: 'posted', away: ['bruno', 'eva'] })
    notices.posted({ message: aMessage('g', 2), change: 'posted', away: [] })
    expect(notified, 'not in the turn of the message').toEqual([])
    await eventually(() => expect(notified).toEqual(['1', 'bruno 1', 'eva 1', '2']))
  })

  it('run 64 at a time, and no more in one turn of the loop', async () => {
    let running = 0
    let most = 0
    let notified = 0
    const { notices } = someNotices({
      async userOffline() {
        running += 1
        most = Math.max(most, running)
        await null
        running -= 1
        notified += 1
      },
    })
    notices.posted({ message: aMessage('g', 1), change: 'posted', away: users(5_000) })
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect(notified).toBeLessThanOrEqual(128)
    await eventually(() => expect(notified).toBe(5_000))
    expect([most, notices.size]).toEqual([64, 0])
  })

  it('drop the oldest of more than 10,000 waiting ones, and report how many', async () => {
    const notified: string[] = []
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { notices, clock, logged } = someNotices({
      async userOffline({ userId, message }) {
        notified.push(`${message.seq} ${userId}`)
        await held
      },
    })
    notices.posted({ message: aMessage('g', 1), change: 'posted', away: users(64) })
    await eventually(() => expect(notified).toHaveLength(64))
    notices.posted({ message: aMessage('g', 2), change: 'posted', away: users(6_000) })
    notices.posted({ message: aMessage('g', 3), change: 'posted', away: users(6_000) })
    expect([notices.size, notices.dropped]).toEqual([10_064, 2_000])
    clock.advance(10_000)
    expect(logged).toEqual(['hooks are too slow: notices were dropped {"dropped":2000}'])
    release()
    await eventually(() => expect(notices.size).toBe(0))
    expect([notified[64], notified.length]).toEqual(['2 u2000', 10_064])
  })

  it('one that throws or is late is logged, and affects no other', async () => {
    const notified: string[] = []
    const { notices, clock, logged } = someNotices({
      userOffline({ userId }) {
        if (userId === 'throws') throw new Error('no such phone')
        if (userId === 'late') return new Promise(() => {})
        notified.push(userId)
        return
      },
    })
    notices.posted({ message: aMessage('g', 1), change: 'posted', away: ['throws', 'late', 'bruno'] })
    await eventually(() => expect(notified).toEqual(['bruno']))
    clock.advance(2_000)
    await eventually(() => expect(notices.size).toBe(0))
    expect(logged).toEqual([
      expect.stringContaining('no such phone'),
      expect.stringContaining('userOffline took more than 2000 ms'),
    ])
  })

  it('are awaited at the end, but not forever', async () => {
    const notified: string[] = []
    const { notices, clock, logged } = someNotices({
      userOffline({ userId }) {
        notified.push(userId)
        return userId === 'u0' ? new Promise(() => {}) : undefined
      },
    })
    notices.posted({ message: aMessage('g', 1), change: 'posted', away: users(200) })
    const closed = notices.close(1_000)
    await eventually(() => expect(notified).toHaveLength(200))
    clock.advance(1_000)
    await closed
    notices.posted({ message: aMessage('g', 2), change: 'posted', away: ['bruno'] })
    expect([notices.dropped, logged]).toEqual([0, []])
  })
})
