import { describe, expect, it, onTestFinished } from 'vitest'
import { startTestEngine } from '../../testing/test-engine.ts'
import { collect, text } from '../support/sessions.ts'

const IDLE_MS = 60_000

describe('idle actors', () => {
  it('leave memory, and continue when they are needed again', async () => {
    const engine = await startTestEngine({ idleMs: IDLE_MS })
    onTestFinished(() => engine.close())
    const ana = await engine.connect({ userId: 'ana' })
    const received = collect(ana, 'new_message')
    const gaps = collect(ana, 'gap')
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const first = await ana.sendMessage({ groupId, content: 'um', tempId: 'same' })
    const loaded = async () => (await engine.stats()).shards[0]
    // INP-2: a member who is not connected is only a row.
    expect(await loaded()).toMatchObject({ groups: 1, users: 1 })

    // Used a moment ago: remains loaded.
    await engine.advance(IDLE_MS - 10_000)
    expect(await loaded()).toMatchObject({ groups: 1 })
    // Idle: returns its lease first, and is unloaded once that is committed. Ana is connected and remains.
    await engine.advance(2 * IDLE_MS)
    expect(await loaded()).toMatchObject({ groups: 0, users: 1 })

    expect((await ana.sendMessage({ groupId, content: 'x', tempId: 'same' })).message).toEqual(first.message)
    const next = await ana.sendMessage(text(groupId, 'dois'))
    expect(next.message.seq).toBe(first.message.seq + 1)
    expect(received.map(({ message }) => message.content)).toEqual(['um', 'dois'])
    expect(gaps).toEqual([])
    expect(await loaded()).toMatchObject({ groups: 1 })
  })
})
