import { describe, expect, it } from 'vitest'
import { PresenceDirectory } from '../../../engine/shards/presence-directory.ts'

const absent = { connected: false, status: 'offline' }

describe('the presence directory', () => {
  it('stores the connections and the visible status of each user independently', () => {
    const directory = new PresenceDirectory()
    expect(directory.presenceOf('ana')).toEqual(absent)
    directory.opened('ana', 1)
    expect(directory.presenceOf('ana')).toEqual({ connected: true, status: 'offline' })
    directory.setStatus('ana', 'away')
    expect(directory.presenceOf('ana')).toEqual({ connected: true, status: 'away' })
    // During the grace period.
    directory.closed('ana')
    expect(directory.presenceOf('ana')).toEqual({ connected: false, status: 'away' })
    directory.setStatus('ana', 'offline')
    expect(directory.presenceOf('ana')).toEqual(absent)
  })

  it('counts sessions', () => {
    const directory = new PresenceDirectory()
    directory.opened('ana', 2)
    directory.opened('ana', 3)
    directory.closed('ana')
    expect(directory.presenceOf('ana').connected).toBe(true)
    directory.closed('ana')
    directory.closed('ana')
    directory.opened('ana', 4)
    expect(directory.presenceOf('ana').connected).toBe(true)
  })

  it('returns the watching groups once, when the last session has closed', () => {
    const directory = new PresenceDirectory()
    directory.watch('ana', 'g', true)
    directory.opened('ana', 5)
    directory.opened('ana', 6)
    for (const groupId of ['g', 'h', 'i']) directory.watch('ana', groupId, true)
    directory.watch('ana', 'h', false)
    expect(directory.closed('ana')).toEqual([])
    expect(directory.closed('ana')).toEqual(['g', 'i'])
    directory.opened('ana', 7)
    expect(directory.closed('ana')).toEqual([])
  })

  it('returns no group that began to watch when there was no session', () => {
    const directory = new PresenceDirectory()
    directory.watch('ana', 'g', true)
    directory.opened('ana', 8)
    expect(directory.closed('ana')).toEqual([])
  })
})
