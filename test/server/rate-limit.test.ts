import { describe, expect, it } from 'vitest'
import { AddressGuard } from '../../server/address-guard.ts'
import { RateLimiter } from '../../server/rate-limit.ts'

function aLimiter(perMinute: number, maxUsers = 1_000) {
  const clock = { ms: 0 }
  return { clock, limiter: new RateLimiter({ perMinute, maxUsers, now: () => clock.ms }) }
}

function takeAll(limiter: RateLimiter, userId: string, times: number): boolean[] {
  return Array.from({ length: times }, () => limiter.take(userId, 'events').pass)
}

describe('rate limit', () => {
  it('passes the events of a minute at once, and returns when the next is allowed', () => {
    const { limiter } = aLimiter(100)
    expect(takeAll(limiter, 'ana', 100)).not.toContain(false)
    expect(limiter.take('ana', 'events')).toEqual({ pass: false, retryAfterMs: 600 })
  })

  it('passes again after exactly the time it returned', () => {
    const { limiter, clock } = aLimiter(100)
    takeAll(limiter, 'ana', 101)
    clock.ms = 599
    expect(limiter.take('ana', 'events').pass).toBe(false)
    clock.ms = 600
    expect(limiter.take('ana', 'events').pass).toBe(true)
    expect(limiter.take('ana', 'events').pass).toBe(false)
  })

  it('never accumulates more than the events of one minute', () => {
    const { limiter, clock } = aLimiter(10)
    takeAll(limiter, 'ana', 10)
    clock.ms = 3_600_000
    expect(takeAll(limiter, 'ana', 11).filter(Boolean)).toHaveLength(10)
  })

  it('counts each user separately', () => {
    const { limiter } = aLimiter(1)
    takeAll(limiter, 'ana', 2)
    expect(limiter.take('bruno', 'events').pass).toBe(true)
  })

  it('gives ephemeral events a separate budget, ten times as large', () => {
    const { limiter } = aLimiter(10)
    takeAll(limiter, 'ana', 11)
    const pings = Array.from({ length: 101 }, () => limiter.take('ana', 'ephemeral').pass)
    expect(pings.filter(Boolean)).toHaveLength(100)
  })

  // LIM-1
  it('gives reads a separate budget', () => {
    const { limiter } = aLimiter(10)
    const reads = Array.from({ length: 51 }, () => limiter.take('ana', 'reads').pass)
    expect(reads.filter(Boolean)).toHaveLength(50)
    expect(takeAll(limiter, 'ana', 10)).not.toContain(false)
  })

  // LIM-1
  it('charges a request its cost', () => {
    const { limiter, clock } = aLimiter(10)
    expect(limiter.take('ana', 'reads', 48).pass).toBe(true)
    expect(limiter.take('ana', 'reads', 3)).toEqual({ pass: false, retryAfterMs: 1_200 })
    clock.ms = 1_200
    expect(limiter.take('ana', 'reads', 3).pass).toBe(true)
  })

  it('passes a request that costs more than the capacity from a full bucket, as a debt', () => {
    const { limiter, clock } = aLimiter(10)
    expect(limiter.take('ana', 'events', 25).pass).toBe(true)
    expect(limiter.take('ana', 'events')).toEqual({ pass: false, retryAfterMs: 96_000 })
    clock.ms = 96_000
    expect(limiter.take('ana', 'events').pass).toBe(true)
    expect(limiter.take('ana', 'events', 25).pass).toBe(false)
  })

  // INP-2
  it('charges costs that are known afterwards, as a debt if necessary', () => {
    const { limiter, clock } = aLimiter(10)
    for (let i = 0; i < 60; i++) limiter.charge('ana', 'reads', 1)
    expect(limiter.take('ana', 'reads')).toEqual({ pass: false, retryAfterMs: 13_200 })
    clock.ms = 13_200
    expect(limiter.take('ana', 'reads').pass).toBe(true)
    expect(takeAll(limiter, 'ana', 10)).not.toContain(false)
  })

  it('limits connections of a user and of an address, independent of the limit of events', () => {
    const { limiter } = aLimiter(1)
    const connects = (key: string, budget: 'connect' | 'connect_address', times: number) =>
      Array.from({ length: times }, () => limiter.take(key, budget).pass).filter(Boolean).length
    expect(connects('ana', 'connect', 101)).toBe(100)
    expect(connects('10.0.0.1', 'connect_address', 10_001)).toBe(10_000)
  })

  it('has no limit at 0', () => {
    const { limiter } = aLimiter(0)
    expect(takeAll(limiter, 'ana', 10_000)).not.toContain(false)
    expect(limiter.users).toBe(0)
  })

  it('removes no tokens when the clock is set back', () => {
    const { limiter, clock } = aLimiter(10)
    clock.ms = 1_000_000
    takeAll(limiter, 'ana', 5)
    clock.ms = 0
    expect(takeAll(limiter, 'ana', 5)).not.toContain(false)
  })

  it('deletes users with full buckets, and stores at most maxUsers', () => {
    const { limiter, clock } = aLimiter(10, 3)
    for (const user of ['a', 'b', 'c', 'd']) limiter.take(user, 'events')
    expect(limiter.users).toBe(3)
    limiter.sweep()
    expect(limiter.users).toBe(3)
    clock.ms = 6_000
    limiter.sweep()
    expect(limiter.users).toBe(0)
  })
})

describe('address guard', () => {
  function aGuard(perMinute: number, maxAddresses = 10) {
    const clock = { ms: 0 }
    return { clock, guard: new AddressGuard({ perMinute, maxAddresses, now: () => clock.ms }) }
  }

  it('blocks an address that reaches the limit, until a minute after its first failure', () => {
    const { guard, clock } = aGuard(3)
    guard.failed('10.0.0.1')
    guard.failed('10.0.0.1')
    expect(guard.blockedForMs('10.0.0.1')).toBe(0)
    clock.ms = 20_000
    guard.failed('10.0.0.1')
    expect(guard.blockedForMs('10.0.0.1')).toBe(40_000)
    expect(guard.blockedForMs('10.0.0.2')).toBe(0)
    clock.ms = 60_000
    expect(guard.blockedForMs('10.0.0.1')).toBe(0)
    guard.failed('10.0.0.1')
    expect(guard.blockedForMs('10.0.0.1')).toBe(0)
  })

  it('stores a bounded number of addresses, for a minute', () => {
    const { guard, clock } = aGuard(1, 2)
    for (const address of ['a', 'b', 'c']) guard.failed(address)
    expect(guard.addresses).toBe(2)
    expect(guard.blockedForMs('a')).toBe(0)
    clock.ms = 60_000
    guard.sweep()
    expect(guard.addresses).toBe(0)
  })

  it('has no limit at 0', () => {
    const { guard } = aGuard(0)
    for (let i = 0; i < 100; i++) guard.failed('a')
    expect(guard.blockedForMs('a')).toBe(0)
  })
})
