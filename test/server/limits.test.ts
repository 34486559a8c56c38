import { describe, expect, it } from 'vitest'
import { type Newcomer, Newcomers } from '../../server/newcomers.ts'
import { UserSessions } from '../../server/user-sessions.ts'

describe('the sessions of a user', () => {
  const session = (userId: string, lastReceivedAtMs: number) => ({ userId, lastReceivedAtMs })

  // LIM-2
  it('are closed for a new one, the one that was silent for longest first', () => {
    const sessions = new UserSessions<{ userId: string; lastReceivedAtMs: number }>(2)
    const [dead, alive, young] = [session('ana', 10), session('ana', 20), session('ana', 30)]
    expect([sessions.add(alive), sessions.add(dead)]).toEqual([undefined, undefined])
    expect(sessions.add(young)).toBe(dead)
    alive.lastReceivedAtMs = 40
    expect(sessions.add(session('ana', 50))).toBe(young)
    expect(sessions.add(session('bruno', 50))).toBeUndefined()
  })

  it('are counted once, until they end', () => {
    const sessions = new UserSessions<{ userId: string; lastReceivedAtMs: number }>(1)
    const [first, second] = [session('ana', 10), session('ana', 20)]
    sessions.add(first)
    expect(sessions.add(second)).toBe(first)
    sessions.remove(first)
    expect(sessions.users).toBe(1)
    sessions.remove(second)
    expect(sessions.users).toBe(0)
  })
})

describe('clients that are not authenticated', () => {
  function someNewcomers(maxBytes: number) {
    const clock = { ms: 0 }
    const newcomers = new Newcomers({ maxBytes, now: () => clock.ms })
    const replaced: string[] = []
    let made = 0
    const arrive = (address: string, bytes = 1) => {
      const refusal = newcomers.makeRoom(address, bytes)
      if (refusal) return refusal
      const name = `${address}/${made++}`
      const newcomer: Newcomer = { address, evict: () => void replaced.push(name) }
      newcomers.add(newcomer, bytes)
      return newcomer
    }
    return { clock, newcomers, replaced, arrive }
  }

  it('may use seven eighths for one address, where a later one replaces the oldest after a second', () => {
    const { clock, newcomers, replaced, arrive } = someNewcomers(8)
    arrive('a')
    arrive('a', 6)
    clock.ms = 999
    expect(arrive('a')).toBe('address')
    expect(arrive('b')).toMatchObject({ address: 'b' })
    clock.ms = 1_000
    expect(arrive('a')).toMatchObject({ address: 'a' })
    expect(replaced).toEqual(['a/0'])
    expect(newcomers.bytes).toBe(8)
  })

  it('replace the oldest of the address that uses most when the limit is reached', () => {
    const { clock, newcomers, replaced, arrive } = someNewcomers(8)
    arrive('a', 2)
    arrive('b', 2)
    arrive('b', 2)
    arrive('c', 2)
    expect(arrive('d')).toBe('all')
    clock.ms = 1_000
    arrive('d')
    expect(replaced).toEqual(['b/1'])
    expect(newcomers.bytes).toBe(7)
    // The oldest of the address is still young, and others use less.
    newcomers.add({ address: 'e', evict() {} }, 6)
    arrive('f')
    expect(replaced).toEqual(['b/1', 'a/0', 'b/2', 'c/3'])
  })

  it('make room when they are authenticated or disconnect, and one is always allowed', () => {
    const { newcomers, arrive } = someNewcomers(1)
    const first = arrive('a', 5) as Newcomer
    expect(first).toMatchObject({ address: 'a' })
    expect(arrive('b')).toBe('all')
    newcomers.remove(first)
    newcomers.remove(first)
    expect(newcomers.bytes).toBe(0)
    expect(arrive('a')).toMatchObject({ address: 'a' })
  })

  it('leave five eighths when they use more than they need, and replace only those that do too', () => {
    const { clock, newcomers, replaced, arrive } = someNewcomers(16)
    expect(newcomers.makeLargeRoom(7)).toBe(false)
    expect(newcomers.makeLargeRoom(6)).toBe(true)
    arrive('a', 5)
    arrive('b')
    expect(newcomers.makeLargeRoom(1)).toBe(false)
    clock.ms = 1_000
    arrive('g', 2)
    expect(newcomers.makeLargeRoom(3)).toBe(true)
    expect(replaced).toEqual(['a/0'])
    expect(newcomers.makeLargeRoom(6)).toBe(false)
    expect(replaced).toEqual(['a/0'])
  })
})
