import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'
import { blockWrites } from '../support/storage.ts'

describe.each(modes)('when storage rejects writes ($mode)', ({ start }) => {
  // DUR-1, IDM-1
  it('refuses what it cannot store, reports that in its health, and stores one message when it works again', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const stored = await ana.sendMessage(text(groupId, 'stored'))
    expect(engine.health()).toEqual({ ready: true })

    const unblock = blockWrites(dataDir)
    const held = { groupId, content: 'held', tempId: 'held' }
    await expect(ana.sendMessage(held)).rejects.toMatchObject(refusal('storage_unavailable'))
    expect(engine.health()).toMatchObject({ ready: false })
    await expect(ana.sendMessage(text(groupId, 'later'))).rejects.toMatchObject({ retryAfterMs: 1_000 })
    // Reads still work.
    expect((await ana.getHistory({ groupId })).messages[0]).toEqual(stored.message)

    unblock()
    await eventually(() => expect(engine.health()).toEqual({ ready: true }))
    const { message } = await ana.sendMessage(held)
    expect((await ana.getHistory({ groupId })).messages).toEqual([stored.message, message])
  })

  it('refuses requests that wait for the first lease, and accepts them later', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const unblock = blockWrites(dataDir)
    await expect(ana.createGroup({ kind: 'group', groupId: 'g' })).rejects.toMatchObject(
      refusal('storage_unavailable'),
    )
    unblock()
    await eventually(() => expect(engine.health()).toEqual({ ready: true }))
    expect(await ana.createGroup({ kind: 'group', groupId: 'g' })).toMatchObject({ groupId: 'g', lastSeq: 1 })
  })
})

describe.each(modes)('a data directory that cannot be used ($mode)', ({ start }) => {
  it('is refused with a clear error while another engine uses it', async () => {
    const dataDir = temporaryFolder()
    await start({ dataDir })
    await expect(start({ dataDir })).rejects.toThrow(
      `data directory ${dataDir} cannot be used: another process uses it`,
    )
  })

  it('is refused if it cannot be created', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(start({ dataDir: join(file, 'data') })).rejects.toThrow(
      'cannot be used: a part of its path is a file',
    )
  })

  it('is refused if its file is not a database, or cannot be opened', async () => {
    const damaged = temporaryFolder()
    writeFileSync(join(damaged, 'tertulia.db'), 'no database, but as long as one page of it is. '.repeat(200))
    await expect(start({ dataDir: damaged })).rejects.toThrow('damaged or not a database')
    const blocked = temporaryFolder()
    mkdirSync(join(blocked, 'tertulia.db'))
    await expect(start({ dataDir: blocked })).rejects.toThrow('cannot be written')
  })

  it('can be used again after the other engine was closed', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    await engine.close()
    expect((await start({ dataDir })).health()).toEqual({ ready: true })
  })
})

describe.each(modes)('FANOUT=committed ($mode)', ({ start }) => {
  // DUR-1
  it('shows a message to members only when it is committed', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir, fanout: 'committed' })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const seen = collect(bruno, 'new_message')
    const unblock = blockWrites(dataDir)
    await expect(ana.sendMessage({ groupId, content: 'x', tempId: 't' })).rejects.toMatchObject(
      refusal('storage_unavailable'),
    )
    expect((await bruno.getHistory({ groupId })).messages).toEqual([])
    // A session that begins now receives it once it is committed, and not before.
    const late = await engine.connect({ userId: 'bruno' })
    const seenLate = collect(late, 'new_message')
    expect(seen).toEqual([])
    unblock()
    await eventually(() => expect(seen.length).toBe(1))
    await eventually(() => expect(seenLate).toEqual(seen))
  })
})

describe.each(modes)('DURABILITY=memory ($mode)', ({ start }) => {
  // DUR-1
  it('acknowledges at once', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir, durability: 'memory' })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    // The lease must be committed first: if that commit failed, the message would be refused.
    await eventually(async () => {
      for (const { appended, committed } of (await engine.stats()).shards) expect(committed).toBe(appended)
    })
    const unblock = blockWrites(dataDir)
    expect((await ana.sendMessage(text(groupId, 'now'))).success).toBe(true)
    unblock()
  })
})
