import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Engine, EngineLogger } from '../../engine/engine.ts'
import { databasePath } from '../../engine/storage/sqlite/database.ts'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, refusal, text } from '../support/sessions.ts'

/**
 * Makes the file refuse each row that `when` describes, like a violated constraint. The engine has
 * committed everything before, so that no commit finds the file locked by this.
 */
async function refuseRows(engine: Engine, dataDir: string, on: string, when: string): Promise<void> {
  await eventually(async () => {
    for (const { appended, committed } of (await engine.stats()).shards) expect(committed).toBe(appended)
  })
  const db = new Database(databasePath(dataDir))
  onTestFinished(() => {
    db.close()
  })
  db.exec(`CREATE TRIGGER refused BEFORE ${on} WHEN ${when} BEGIN SELECT RAISE(ABORT, 'poison'); END`)
}

function aLogger() {
  const errors: string[] = []
  const logger: EngineLogger = { info() {}, warn() {}, error: (_, message) => void errors.push(message) }
  return { errors, logger }
}

// An entry that cannot be applied fails its group, with an error in the log, and never the whole log.
describe.each(modes)('a log entry that can never be applied ($mode)', ({ start }) => {
  it.each(['immediate', 'committed'] as const)('fails its own group only (fanout %s)', async (fanout) => {
    const dataDir = temporaryFolder()
    const { errors, logger } = aLogger()
    const engine = await start({ dataDir, logger, fanout })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const other = await ana.createGroup({ kind: 'group', groupId: 'other' })
    const { groupId } = await ana.createGroup({ kind: 'group', groupId: 'kitchen', members: ['bruno'] })
    const first = await ana.sendMessage(text(groupId, 'first'))
    await refuseRows(engine, dataDir, 'INSERT ON messages', "NEW.content = 'poison'")
    const gaps = collect(bruno, 'gap')

    const poisoned = ana.sendMessage(text(groupId, 'poison'))
    const besides = ana.sendMessage(text(other.groupId, 'besides'))
    await expect(poisoned).rejects.toMatchObject(refusal('internal'))
    expect((await besides).success).toBe(true)
    expect(engine.health()).toEqual({ ready: true })
    expect(errors).toEqual(['a log entry could not be applied'])

    // The group continues from the log: nothing that was refused is shown or numbered again.
    const after = await ana.sendMessage(text(groupId, 'after'))
    expect((await bruno.getHistory({ groupId })).messages.map(({ content }) => content)).toEqual([
      'first',
      'after',
    ])
    expect(after.message.seq).toBeGreaterThan(first.message.seq + 1)
    // GAP-1: members remove the messages that they were shown.
    await eventually(() => expect(gaps.length).toBe(1))
    expect(gaps[0]).toMatchObject({ from: first.message.seq + 1 })
    expect(engine.health()).toEqual({ ready: true })
  })

  it('reports the removed messages in a gap without another request, and continues after a restart', async () => {
    const dataDir = temporaryFolder()
    const { logger } = aLogger()
    const engine = await start({ dataDir, logger })
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const gaps = collect(bruno, 'gap')
    await refuseRows(engine, dataDir, 'INSERT ON messages', "NEW.content = 'poison'")
    await expect(ana.sendMessage(text(groupId, 'poison'))).rejects.toMatchObject(refusal('internal'))
    await eventually(() => expect(gaps.length).toBe(1))
    await engine.close()
    const again = await start({ dataDir })
    const reconnected = await again.connect({ userId: 'ana' })
    expect((await reconnected.sendMessage(text(groupId, 'after'))).success).toBe(true)
  })

  it('of a user fails only that user’s request', async () => {
    const dataDir = temporaryFolder()
    const { errors, logger } = aLogger()
    const engine = await start({ dataDir, logger })
    const ana = await engine.connect({ userId: 'ana' })
    await refuseRows(engine, dataDir, 'UPDATE ON users', "NEW.user_id = 'ana' AND NEW.status = 'busy'")
    await expect(ana.updateStatus({ status: 'busy' })).rejects.toMatchObject(refusal('internal'))
    await ana.updateStatus({ status: 'away' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    expect((await ana.sendMessage(text(groupId, 'x'))).success).toBe(true)
    expect(errors).toEqual(['a log entry could not be applied'])
  })

  it('that creates a group refuses the group, whose id can be used later', async () => {
    const dataDir = temporaryFolder()
    const { logger } = aLogger()
    const engine = await start({ dataDir, logger })
    const ana = await engine.connect({ userId: 'ana' })
    await refuseRows(engine, dataDir, 'INSERT ON groups', "NEW.name = 'poison'")
    const make = (name: string) => ana.createGroup({ kind: 'group', groupId: 'g', name })
    await expect(make('poison')).rejects.toMatchObject(refusal('internal'))
    expect(await make('good')).toMatchObject({ groupId: 'g', name: 'good' })
    expect((await ana.sendMessage(text('g', 'x'))).success).toBe(true)
  })
})
