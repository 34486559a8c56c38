import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { crashImage, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'
import { blockWrites } from '../support/storage.ts'

describe('after a crash', () => {
  // DUR-1, IDN-5
  it('has everything that was acknowledged, and continues above the lease after a gap', async () => {
    const dataDir = temporaryFolder()
    const ana = await (await startInline({ dataDir })).connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const first = await ana.sendMessage(text(groupId, 'um'))

    const again = await (await startInline({ dataDir: crashImage(dataDir) })).connect({ userId: 'ana' })
    const gaps = collect(again, 'gap')
    const gap = { groupId, seq: 1_025, from: 3, to: 1_024 }
    await eventually(() => expect(gaps).toEqual([gap]))
    const next = await again.sendMessage(text(groupId, 'dois'))

    expect(next.message.seq).toBe(1_026)
    const history = await again.getHistory({ groupId })
    expect(history.messages).toEqual([first.message, next.message])
    expect(history.gaps).toEqual([{ seq: 1_025, from: 3, to: 1_024 }])
  })

  // GAP-1
  it('reports the gap in resume and, from the log, in history', async () => {
    const dataDir = temporaryFolder()
    const ana = await (await startInline({ dataDir })).connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const image = crashImage(dataDir)
    const second = await startInline({ dataDir: image })
    const sender = await second.connect({ userId: 'ana' })
    for (let i = 0; i < 600; i++) await sender.sendMessage(text(groupId, `${i}`))
    await second.close()

    const third = await (await startInline({ dataDir: image })).connect({ userId: 'ana' })
    const gaps = collect(third, 'gap')
    const messages = collect(third, 'new_message')
    const resumed = await third.resume({ groups: [[groupId, 1]] })
    expect(resumed.groups).toEqual([[groupId, 1_625, true]])
    expect(gaps).toEqual([{ groupId, seq: 1_025, from: 2, to: 1_024 }])
    expect(messages.map(({ message }) => message.seq)).toEqual(
      Array.from({ length: 600 }, (_, i) => 1_026 + i),
    )
    const page = await third.getHistory({ groupId, after: 0, limit: 10 })
    expect(page.gaps).toEqual([{ seq: 1_025, from: 2, to: 1_024 }])
  })

  // GAP-1, IDM-1
  it('removes what was shown and not committed: its number is in the gap, and it can be sent again', async () => {
    const dataDir = temporaryFolder()
    const engine = await startInline({ dataDir })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const shown = collect(bruno, 'new_message')
    const unblock = blockWrites(dataDir)
    const lost = { groupId, content: 'shown, not stored', tempId: 'lost' }
    await expect(ana.sendMessage(lost)).rejects.toMatchObject(refusal('storage_unavailable'))
    expect(shown).toMatchObject([{ message: { seq: 2 } }])
    const image = crashImage(dataDir)
    unblock()

    const again = await startInline({ dataDir: image })
    const back = await again.connect({ userId: 'bruno' })
    const gaps = collect(back, 'gap')
    await eventually(() => expect(gaps).toEqual([{ groupId, seq: 1_025, from: 2, to: 1_024 }]))
    const sender = await again.connect({ userId: 'ana' })
    expect((await sender.sendMessage(lost)).message.seq).toBe(1_026)
    expect((await back.getHistory({ groupId })).messages.map(({ content }) => content)).toEqual([
      'shown, not stored',
    ])
  })

  // IDN-5
  it('never assigns a number again in a second group of the same id, if the first was lost', async () => {
    const dataDir = temporaryFolder()
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    let image = ''
    // Shown at once. Its lease is committed by then, the group itself is not.
    ana.on('group_created', ({ seq }) => {
      expect(seq).toBe(1)
      image = crashImage(dataDir)
    })
    await ana.createGroup({ kind: 'group', groupId: 'kitchen' })

    const again = await (await startInline({ dataDir: image })).connect({ userId: 'ana' })
    const gaps = collect(again, 'gap')
    const group = await again.createGroup({ kind: 'group', groupId: 'kitchen' })
    expect(group.lastSeq).toBe(1_026)
    await again.resume({ groups: [['kitchen', 1]] })
    expect(gaps).toEqual([{ groupId: 'kitchen', seq: 1_025, from: 1, to: 1_024 }])
  })
})

describe('after a clean stop', () => {
  it('continues without a gap', async () => {
    const dataDir = temporaryFolder()
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { message } = await ana.sendMessage(text(groupId, 'um'))
    await engine.close()
    const again = await (await startInline({ dataDir })).connect({ userId: 'ana' })
    expect((await again.sendMessage(text(groupId, 'dois'))).message.seq).toBe(message.seq + 1)
    expect((await again.getHistory({ groupId })).gaps).toBeUndefined()
  })
})
