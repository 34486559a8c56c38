import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import { prepareBackup } from '../../engine/storage/sqlite/backup.ts'
import { databasePath } from '../../engine/storage/sqlite/database.ts'
import { Database } from '../../engine/storage/sqlite/driver.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

/** The words that occur in any file of the folder. */
function wordsIn(folder: string, words: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!statSync(join(folder, path)).isFile()) continue
    const bytes = readFileSync(join(folder, path))
    found.push(...words.filter((word) => bytes.includes(word)).map((word) => `${word} in ${path}`))
  }
  return found
}

const indexed = (engine: Engine) => eventually(async () => expect((await engine.stats()).search.lag).toBe(0))

/** Words that are written and then deleted, recalled or replaced. */
const deletedWords = ['zanzibarq', 'quetzalq', 'wolframq', 'kilimanq', 'topazq', 'novembq', 'fotoq', 'bytesq']

/** Writes all of them and removes them again. */
async function writeAndErase(engine: Engine): Promise<void> {
  const ana = await engine.connect({ userId: 'ana' })
  const { groupId } = await ana.createGroup({ kind: 'group', name: 'novembq' })
  await ana.updateGroup({ groupId, topic: 'topazq' })
  const say = async (content: string) => (await ana.sendMessage(text(groupId, content))).message.messageId
  const long = 'many words '.repeat(1_200)
  const [deleted, edited, recalled] = [await say('it was zanzibarq'), await say('so'), await say('kilimanq')]
  const huge = await say(`${long} wolframq ${long}`.slice(0, 16_000))
  for (let i = 0; i < 40; i++) await say(`filler ${i}`)
  await ana.editMessage({ messageId: edited, content: 'the quetzalq' })
  await ana.editMessage({ messageId: edited, content: 'nothing' })
  const file = await ana.uploadFile({
    groupId,
    fileName: 'fotoq.txt',
    file: Buffer.from('some bytesq'),
    fileSize: 11,
  })
  const shown = await ana.sendMessage({ ...text(groupId, 'look'), type: 'file', fileId: file.fileId })
  await indexed(engine)
  await ana.deleteMessage({ messageId: deleted })
  await ana.editMessage({ messageId: huge, content: 'short' })
  await ana.recallMessage({ messageId: recalled })
  await ana.updateGroup({ groupId, name: 'other', topic: '' })
  await ana.deleteMessage({ messageId: shown.message.messageId })
  await indexed(engine)
}

describe.each(modes)('deleted content ($mode)', ({ start }) => {
  it('is in no file after a clean stop, nor in a backup', async () => {
    // PRV-3
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    await writeAndErase(engine)
    await engine.close()
    expect(wordsIn(dataDir, deletedWords)).toEqual([])
    expect(wordsIn(dataDir, ['filler'])).not.toEqual([])
    const backup = join(temporaryFolder(), 'backup.db')
    ;(await prepareBackup(dataDir, backup, () => {})).publish()
    expect(wordsIn(join(backup, '..'), deletedWords)).toEqual([])
  })

  it('is in no file after a crash and a start', async () => {
    // PRV-3
    const [dataDir, crashed] = [temporaryFolder(), join(temporaryFolder(), 'crashed')]
    const engine = await start({ dataDir })
    await writeAndErase(engine)
    // As after kill -9. Another process copies, since closing a file drops SQLite's locks.
    const copy = 'require("node:fs").cpSync(process.argv[1], process.argv[2], { recursive: true })'
    execFileSync(process.execPath, ['-e', copy, dataDir, crashed])
    await engine.close()
    const again = await start({ dataDir: crashed })
    await indexed(again)
    await again.close()
    expect(wordsIn(crashed, deletedWords)).toEqual([])
  })

  it('is not part of a replay', async () => {
    // PRV-3
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group', visibility: 'open', name: 'first' })
    const { message } = await ana.sendMessage(text(groupId, 'the plan'))
    const { message: other } = await ana.sendMessage(text(groupId, 'other'))
    await ana.editMessage({ messageId: message.messageId, content: 'hunter2' })
    await ana.editMessage({ messageId: message.messageId, content: 'the plan, again' })
    await ana.editMessage({ messageId: other.messageId, content: 'secret' })
    await ana.deleteMessage({ messageId: other.messageId })
    await ana.updateGroup({ groupId, name: 'second' })
    await ana.updateGroup({ groupId, name: 'third' })
    await (await engine.connect({ userId: 'eva' })).joinGroup({ groupId })
    const eva = await engine.connect({ userId: 'eva' })
    const [edits, names] = [collect(eva, 'message_edited'), collect(eva, 'group_updated')]
    await eva.resume({ groups: [[groupId, 1]] })
    expect(edits.map(({ content }) => content)).toEqual(['the plan, again', 'the plan, again', ''])
    expect(names.map(({ name }) => name)).toEqual(['third', 'third'])
  })
})

describe('a file of an earlier version', () => {
  it('is cleaned of deleted content at its first start', async () => {
    // PRV-3
    const { start } = modes[0] as (typeof modes)[number]
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { message } = await ana.sendMessage(text(groupId, 'first'))
    await ana.editMessage({ messageId: message.messageId, content: 'second' })
    await engine.close()
    // What the earlier version wrote: contents in edits, and nothing was overwritten.
    const db = new Database(databasePath(dataDir))
    const frame = encodeEvent('message_edited', 0, {
      messageId: message.messageId,
      groupId,
      seq: 3,
      content: 'hunterq',
      editedAt: 1,
    })
    db.prepare('UPDATE events SET frame = ? WHERE seq = 3').run(frame)
    const long = `${'x '.repeat(3_000)} zanzibarq ${'x '.repeat(3_000)}`
    const put = db.prepare(
      'INSERT INTO messages (group_key, seq, sender_key, type, content, created_at) VALUES (1, ?, 1, ?, ?, 1)',
    )
    for (let seq = 100; seq < 140; seq++) put.run(seq, 'text', seq % 2 ? long : `kilimanq ${seq}`)
    db.exec("UPDATE messages SET content = '' WHERE seq BETWEEN 100 AND 130")
    db.exec('UPDATE messages SET content = hex(randomblob(2000)) WHERE seq > 130')
    db.exec("INSERT INTO chores VALUES ('erase_old')")
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const words = ['hunterq', 'zanzibarq', 'kilimanq']
    expect(wordsIn(dataDir, words)).toHaveLength(3)
    const info = vi.fn()
    const again = await start({ dataDir, logger: { info, warn: vi.fn(), error: vi.fn() } })
    expect(info).toHaveBeenCalledWith({}, expect.stringContaining('erased'))
    const bruno = await again.connect({ userId: 'ana' })
    const edits = collect(bruno, 'message_edited')
    await bruno.resume({ groups: [[groupId, 1]] })
    expect(edits.map(({ content }) => content)).toEqual(['second'])
    await again.close()
    expect(wordsIn(dataDir, words)).toEqual([])
    const after = new Database(databasePath(dataDir))
    expect(after.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(after.prepare('SELECT count(*) FROM chores').pluck().get()).toBe(0)
    after.close()
  })
})
