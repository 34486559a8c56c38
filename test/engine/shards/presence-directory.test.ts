import { describe, expect, it } from 'vitest'
import { PresenceDirectory } from '../../../engine/shards/presence-directory.ts'

const absent = { connected: false, status: 'offline' }

describe('the presence directory', () => {
  it('knows who is connected and how they are seen, each by itself', () => {
    const directory = new PresenceDirectory()
    expect(directory.presenceOf('ana')).toEqual(absent)
    directory.opened('ana', 1)
    expect(directory.presenceOf('ana')).toEqual({ connected: true, status: 'offline' })
    directory.tell('ana', 'away')
    expect(directory.presenceOf('ana')).toEqual({ connected: true, status: 'away' })
    // In the time of grace.
    directory.closed('ana')
    expect(directory.presenceOf('ana')).toEqual({ connected: false, status: 'away' })
    directory.tell('ana', 'offline')
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

  it('names the watching groups when the last session has closed, once', () => {
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

  it('names nobody who began to watch when there was no session', () => {
    const directory = new PresenceDirectory()
    directory.watch('ana', 'g', true)
    directory.opened('ana', 8)
    expect(directory.closed('ana')).toEqual([])
  })
})
