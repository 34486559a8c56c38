import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../../server/cli.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'
import { text } from '../../support/sessions.ts'

async function backup(dataDir: string, file: string) {
  const err: string[] = []
  const context = { env: { DATA_DIR: dataDir }, out: () => {}, err: (line: string) => void err.push(line) }
  return { code: await runCli(['backup', file], context), err: err.join('\n') }
}

/** A data folder restored from a backup, as the help describes. */
function restored(file: string): string {
  const dataDir = temporaryFolder()
  renameSync(file, join(dataDir, 'tertulia.db'))
  if (existsSync(`${file}.files`)) renameSync(`${file}.files`, join(dataDir, 'files'))
  return dataDir
}

describe('tertulia backup', () => {
  it('copies one point in time while messages are written, with all that was acknowledged before', async () => {
    const dataDir = temporaryFolder()
    const file = join(temporaryFolder(), 'chat.db')
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    for (let i = 0; i < 20; i++) await ana.sendMessage(text(groupId, `before ${i}`))

    let writing = true
    let sent = 0
    const writer = (async () => {
      while (writing) {
        const some = Array.from({ length: 50 }, () => ana.sendMessage(text(groupId, `during ${sent++}`)))
        await Promise.all(some)
      }
    })()
    const { code, err } = await backup(dataDir, file)
    writing = false
    await writer
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`${file}: `) })
    expect(sent).toBeGreaterThan(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)

    const again = await startInline({ dataDir: restored(file) })
    const reader = await again.connect({ userId: 'ana' })
    const seqs: number[] = []
    for (let after = 0, more = true; more; ) {
      const page = await reader.getHistory({ groupId, after, limit: 200 })
      seqs.push(...page.messages.map(({ seq }) => seq))
      more = page.hasMore
      after = seqs.at(-1) as number
    }
    expect(seqs.length).toBeGreaterThanOrEqual(20)
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] as number) + i))
    expect((await reader.sendMessage(text(groupId, 'life goes on'))).message.seq).toBeGreaterThan(
      seqs.at(-1) as number,
    )
  })

  it('copies the files', async () => {
    const dataDir = temporaryFolder()
    const file = join(temporaryFolder(), 'chat.db')
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const bytes = Buffer.from('the content of a file')
    const upload = { fileName: 'a.txt', file: bytes, fileSize: bytes.length, groupId }
    const { sha256 } = await ana.uploadFile(upload)
    expect(await backup(dataDir, file)).toMatchObject({
      code: 0,
      err: expect.stringContaining(`${file}.files: 1 files`),
    })
    expect(readdirSync(`${file}.files`, { recursive: true })).toEqual([
      sha256.slice(0, 2),
      join(sha256.slice(0, 2), sha256),
    ])
  })

  it('works without a server, and leaves no other files behind', async () => {
    const dataDir = temporaryFolder()
    const target = temporaryFolder()
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group' })
    await engine.close()
    expect((await backup(dataDir, join(target, 'chat.db'))).code).toBe(0)
    expect(readdirSync(target)).toEqual(['chat.db'])
    const db = new Database(join(target, 'chat.db'), { readonly: true })
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete')
    db.close()
  })

  it.each([
    ['the file', (file: string) => writeFileSync(file, 'mine')],
    ['the folder of its files', (file: string) => mkdirSync(`${file}.files`)],
  ])('overwrites nothing: %s', async (_, make) => {
    const dataDir = temporaryFolder()
    const target = temporaryFolder()
    const engine = await startInline({ dataDir })
    await engine.connect({ userId: 'ana' })
    make(join(target, 'chat.db'))
    const before = readdirSync(target)
    const { code, err } = await backup(dataDir, join(target, 'chat.db'))
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/already exists$/) })
    expect(readdirSync(target)).toEqual(before)
  })

  it('fails with one line if there is no database, or no folder for the backup', async () => {
    const nothing = temporaryFolder()
    expect(await backup(nothing, join(temporaryFolder(), 'chat.db'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^tertulia: \S+tertulia\.db cannot be read: /),
    })
    const dataDir = temporaryFolder()
    await startInline({ dataDir })
    const { code, err } = await backup(dataDir, join(nothing, 'missing', 'chat.db'))
    expect(code).toBe(1)
    expect(err.split('\n')).toHaveLength(1)
  })

  it('refuses a damaged copy', async () => {
    const dataDir = temporaryFolder()
    const target = temporaryFolder()
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    for (let i = 0; i < 50; i++) await ana.sendMessage(text(groupId, 'x'.repeat(4_000)))
    await engine.close()
    const database = join(dataDir, 'tertulia.db')
    const db = new Database(database)
    const pages = db.pragma('page_count', { simple: true }) as number
    const pageSize = db.pragma('page_size', { simple: true }) as number
    db.close()
    overwrite(database, pageSize * (pages - 30), pageSize * 20)
    const { code, err } = await backup(dataDir, join(target, 'chat.db'))
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('tertulia: ') })
    expect(readdirSync(target)).toEqual([])
  })
})

function overwrite(file: string, at: number, length: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0xff, at, at + length)
  writeFileSync(file, bytes)
}
