import { describe, expect, it } from 'vitest'
import { aStage } from './harness.ts'

describe('caught_up', () => {
  it('follows connected, also for a user without groups', async () => {
    const stage = await aStage()
    const seen: string[] = []
    stage.client.on('state', ({ state }) => seen.push(state))
    stage.client.on('connected', () => seen.push('event connected'))
    stage.client.on('caught_up', () => seen.push('event caught_up'))
    const connecting = stage.client.connect()
    await (await stage.server.accept()).greet([])
    await connecting
    expect(seen).toEqual(['connecting', 'connected', 'event connected', 'event caught_up'])
  })
})
