import { describe, expect, it, vi } from 'vitest'
import { createEngine, type EngineOptions } from '../../engine/engine.ts'
import type { Identity } from '../../engine/hub/gateway.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { refusal, text } from '../support/sessions.ts'

// Input of an embedding service is validated once, like input of clients.
describe.each(modes)('input of the engine ($mode)', ({ start }) => {
  it('is a valid user, or is refused without other effects', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const wrong: [unknown, string][] = [
      [undefined, 'userId'],
      [{}, 'userId'],
      [{ userId: undefined }, 'userId'],
      [{ userId: 5 }, 'userId'],
      [{ userId: '' }, 'userId'],
      [{ userId: 'x'.repeat(129) }, 'userId'],
      [{ userId: 'é'.repeat(65) }, 'userId'],
      // IDN-1
      [{ userId: 'user\ud83d' }, 'userId'],
      [{ userId: '\ufeffuser' }, 'userId'],
      [{ userId: 'b', name: {} }, 'name'],
      [{ userId: 'b', name: 5 }, 'name'],
      [{ userId: 'b', name: 'x'.repeat(257) }, 'name'],
      [{ userId: 'b', name: 'x\udc00' }, 'name'],
      // TXT-1
      [{ userId: 'b', name: 'a\nb' }, 'name'],
      [{ userId: 'b', name: '\u202eevil' }, 'name'],
      [{ userId: 'b', name: '\u200b' }, 'name'],
      [{ userId: 'b', picture: ['x'] }, 'picture'],
      [{ userId: 'b', picture: 'x'.repeat(2_049) }, 'picture'],
    ]
    for (const [identity, field] of wrong) {
      await expect(engine.connect(identity as Identity), JSON.stringify(identity)).rejects.toMatchObject(
        refusal('bad_request', field),
      )
      await expect(engine.request(identity as Identity, 'get_groups', {})).rejects.toMatchObject(
        refusal('bad_request', field),
      )
    }
    expect((await ana.sendMessage(text(groupId, 'goes on'))).success).toBe(true)
    expect(engine.health()).toEqual({ ready: true })
    expect((await engine.connect({ userId: 'b', name: '', picture: '' })).userId).toBe('b')
  })

  it('is a valid request, or is refused without other effects', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const circular: unknown[] = []
    circular.push(circular)
    const send = ana.sendMessage as (fields: unknown) => Promise<unknown>
    for (const fields of [
      undefined,
      null,
      5,
      [],
      {},
      { groupId, tempId: 't' },
      { groupId, tempId: 't', content: {} },
      { groupId, tempId: 't', content: new Date() },
      { groupId, tempId: 't', content: () => 'x' },
      { groupId, tempId: 't', content: Symbol('x') },
      { groupId, tempId: 't', content: 2n ** 70n },
      { groupId, tempId: 't', content: circular },
      { groupId, tempId: 't', content: 'x\ud800' },
      { groupId, tempId: 't', content: 'x', mentions: ['user\ud83d'] },
      { groupId: circular, tempId: 't', content: 'x' },
    ]) {
      await expect(send(fields)).rejects.toMatchObject(refusal('bad_request'))
    }
    const request = engine.request as (identity: Identity, name: string, fields: object) => Promise<unknown>
    await expect(request({ userId: 'ana' }, 'toString', {})).rejects.toMatchObject(refusal('unknown_event'))
    expect(() => ana.on('new_mesage' as 'new_message', () => {})).toThrow('unknown event: new_mesage')
    expect(() => ana.on('new_message', undefined as never)).toThrow('a listener takes a function')
    expect((await ana.sendMessage(text(groupId, 'goes on'))).success).toBe(true)
  })
})

describe('the options of createEngine', () => {
  it.each<[string, object | undefined, string]>([
    ['none', undefined, 'the options of createEngine must be an object (got undefined)'],
    ['no folder', {}, 'dataDir must be a path (got undefined)'],
    ['an empty folder', { dataDir: '' }, "dataDir must be a path (got '')"],
    ['no shards', { shards: 0 }, "shards must be an integer from 1 to 32, or 'inline' (got 0)"],
    [
      'a thousand shards',
      { shards: 1_000 },
      "shards must be an integer from 1 to 32, or 'inline' (got 1000)",
    ],
    ['a fraction of a shard', { shards: 1.5 }, '(got 1.5)'],
    [
      'another durability',
      { durability: 'tape' },
      "durability must be one of memory, process, disk (got 'tape')",
    ],
    ['another fanout', { fanout: 'never' }, 'fanout must be one of immediate, committed'],
    ['a negative time', { idleMs: -1 }, 'idleMs must be an integer from 0 to 2147483647 (got -1)'],
    ['an endless time', { presenceGraceMs: Number.POSITIVE_INFINITY }, '(got Infinity)'],
    ['a time as text', { editWindowMs: '5000' }, "editWindowMs must be an integer from 0 (got '5000')"],
    ['a hook that is none', { hooks: { beforeMessage: 'x' } }, 'hooks must be an object with the functions'],
    [
      'half a logger',
      { logger: { info() {} } },
      'logger must be an object with the functions info, warn, error',
    ],
    ['a misspelt name', { shard: 2 }, 'unknown option: shard; known options: dataDir, shards, '],
  ])('are refused by name: %s', async (_, options, why) => {
    const given =
      options && Object.keys(options).length > 0 ? { dataDir: temporaryFolder(), ...options } : options
    await expect(createEngine(given as EngineOptions)).rejects.toThrow(why)
  })

  it('may be undefined', async () => {
    const engine = await startInline({ durability: undefined, hooks: undefined, logger: undefined })
    expect(engine.health()).toEqual({ ready: true })
  })
})

describe.each(modes)('after close ($mode)', ({ start }) => {
  it('every call is refused, and none stays pending', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const closing = engine.close()
    const connecting = engine.connect({ userId: 'bruno' })
    await expect(connecting).rejects.toMatchObject(refusal('shutting_down'))
    await closing
    for (const call of [
      () => ana.sendMessage(text(groupId, 'x')),
      () => ana.getGroups({}),
      () => engine.connect({ userId: 'ana' }),
      () => engine.request({ userId: 'ana' }, 'get_groups', {}),
    ]) {
      await expect(call()).rejects.toMatchObject(refusal('shutting_down'))
    }
  })

  it('a closed session refuses requests too', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    ana.close()
    await expect(ana.getGroups({})).rejects.toMatchObject(refusal('shutting_down'))
  })
})

describe('an engine without a logger', () => {
  it('writes errors to standard error', async () => {
    const written: string[] = []
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      written.push(String(chunk))
      return true
    })
    const engine = await startInline({
      hooks: {
        beforeMessage() {
          throw new Error('the service is broken')
        },
      },
    })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    await expect(ana.sendMessage(text(groupId, 'x'))).rejects.toMatchObject(refusal('internal'))
    stderr.mockRestore()
    expect(written.join('')).toContain('the service is broken')
  })
})
