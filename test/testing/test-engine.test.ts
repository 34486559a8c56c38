import { existsSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collect, nextEvent } from '../../testing/received.ts'
import { startTestEngine, type TestEngineOptions } from '../../testing/test-engine.ts'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { refusal, text } from '../support/sessions.ts'

async function start(options: TestEngineOptions = {}) {
  const engine = await startTestEngine(options)
  onTestFinished(() => engine.close())
  return engine
}

describe('the time of a test engine', () => {
  it('moves only in advance: a message can be recalled for five minutes', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const first = await ana.sendMessage(text(groupId, 'one'))
    expect(first.message.createdAt).toBe(engine.clock.now())
    await engine.advance(300_000)
    const second = await ana.sendMessage(text(groupId, 'two'))
    await ana.recallMessage({ messageId: second.message.messageId })
    await engine.advance(1)
    await expect(ana.recallMessage({ messageId: first.message.messageId })).rejects.toMatchObject(
      refusal('recall_expired'),
    )
  })

  // PRS-1
  it.each([1, 3])('drives the timers of actors, with %i shards', async (shards) => {
    const engine = await start({ shards, presenceGraceMs: 5_000 })
    const ana = await engine.connect({ userId: 'ana' })
    const bruno = await engine.connect({ userId: 'bruno' })
    await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const offline = collect(ana, 'contact_status_changed')
    bruno.close()
    await engine.advance(4_999)
    expect(offline).toEqual([])
    await engine.advance(1)
    expect(offline).toMatchObject([{ userId: 'bruno', status: 'offline' }])
  })

  it('drives the time limits of hooks', async () => {
    const engine = await start({
      hookTimeoutMs: 2_000,
      hooks: { beforeMessage: () => new Promise(() => {}) },
      logger: { info() {}, warn() {}, error() {} },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const refused = expect(ana.sendMessage(text(groupId, 'held'))).rejects.toMatchObject(refusal('internal'))
    await engine.advance(2_000)
    await refused
  })

  // TIM-1
  it('has a time of day that jumps without ending any duration', async () => {
    const engine = await start({ presenceGraceMs: 5_000 })
    const ana = await engine.connect({ userId: 'ana' })
    const bruno = await engine.connect({ userId: 'bruno' })
    await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const offline = collect(ana, 'contact_status_changed')
    bruno.close()
    engine.clock.set(engine.clock.now() + 86_400_000)
    await engine.advance(4_999)
    expect(offline).toEqual([])
  })
})

describe('a client without a socket', () => {
  it('sends and receives, and has the identity that it was created with', async () => {
    const engine = await start()
    const ana = engine.client({ userId: 'ana', name: 'Ana' })
    const bruno = await engine.connect({ userId: 'bruno' })
    await ana.connect()
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const next = nextEvent(bruno, 'new_message', ({ message }) => message.content === 'two')
    await ana.sendMessage({ groupId, content: 'one' })
    await ana.sendMessage({ groupId, content: 'two' })
    expect((await next).message).toMatchObject({ senderName: 'Ana' })
    await expect(ana.getHistory({ groupId: 'elsewhere' })).rejects.toMatchObject({ code: 'not_found' })
  })

  // CUP-1
  it('reconnects after a cut as the time advances, and receives what it missed once', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const bruno = engine.client({ userId: 'bruno' })
    const received = collect(bruno, 'new_message')
    await bruno.connect()
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await ana.sendMessage(text(groupId, 'one'))
    engine.cut('bruno')
    await ana.sendMessage(text(groupId, 'two'))
    await eventually(() => expect(bruno.state.state).toBe('reconnecting'))
    await engine.advance(60_000)
    expect(bruno.state.state).toBe('connected')
    await ana.sendMessage(text(groupId, 'three'))
    await eventually(() =>
      expect(received.map(({ message }) => message.content)).toEqual(['one', 'two', 'three']),
    )
  })

  it('is refused if its identity is invalid', async () => {
    const engine = await start()
    await expect(engine.client({ userId: '' }).connect()).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('a test engine', () => {
  it('removes its folder, and keeps one that was given', async () => {
    const dataDir = temporaryFolder()
    const first = await startTestEngine({ dataDir })
    const ana = await first.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group', groupId: 'team' })
    await first.close()
    expect(existsSync(dataDir)).toBe(true)
    const second = await start({ dataDir })
    const { connected } = await second.connect({ userId: 'ana' })
    expect(connected.groups).toMatchObject([{ group: { groupId: 'team' } }])
  })

  it('refuses unknown options and invalid values', async () => {
    await expect(startTestEngine({ shards: 0 })).rejects.toThrow('shards must be')
    await expect(startTestEngine({ port: 1 } as TestEngineOptions)).rejects.toThrow('unknown option: port')
  })

  it('closes although a hook hangs', async () => {
    const engine = await startTestEngine({
      hooks: { beforeMessage: () => new Promise(() => {}) },
      logger: { info() {}, warn() {}, error() {} },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const sending = expect(ana.sendMessage(text(groupId, 'held'))).rejects.toMatchObject(
      refusal('shutting_down'),
    )
    await Promise.all([engine.close(), sending])
  })
})
