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

describe('sockets without a token', () => {
  function someNewcomers(max: number, maxPerAddress: number) {
    const clock = { ms: 0 }
    const newcomers = new Newcomers({ max, maxPerAddress, now: () => clock.ms })
    const replaced: string[] = []
    let made = 0
    const arrive = (address: string) => {
      const refusal = newcomers.makeRoom(address)
      if (refusal) return refusal
      const name = `${address}/${made++}`
      const newcomer: Newcomer = { address, evict: () => void replaced.push(name) }
      newcomers.add(newcomer)
      return newcomer
    }
    return { clock, newcomers, replaced, arrive }
  }

  it('are limited per address, where a later one replaces the oldest after a second', () => {
    const { clock, newcomers, replaced, arrive } = someNewcomers(10, 2)
    arrive('a')
    arrive('a')
    clock.ms = 999
    expect(arrive('a')).toBe('address')
    expect(arrive('b')).toMatchObject({ address: 'b' })
    clock.ms = 1_000
    expect(arrive('a')).toMatchObject({ address: 'a' })
    expect(replaced).toEqual(['a/0'])
    expect(newcomers.size).toBe(3)
  })

  it('are limited in all', () => {
    const { clock, newcomers, replaced, arrive } = someNewcomers(3, 2)
    for (const address of ['a', 'b', 'c']) arrive(address)
    expect(arrive('d')).toBe('all')
    clock.ms = 1_000
    arrive('d')
    expect(replaced).toEqual(['a/0'])
    expect(newcomers.size).toBe(3)
  })

  it('make room when they send a token or disconnect', () => {
    const { newcomers, arrive } = someNewcomers(1, 1)
    const first = arrive('a') as Newcomer
    newcomers.remove(first)
    newcomers.remove(first)
    expect(arrive('a')).toMatchObject({ address: 'a' })
    expect(newcomers.size).toBe(1)
  })
})
