import { closeSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { databasePath } from '../../engine/storage/sqlite/database.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { refusal, text } from '../support/sessions.ts'

describe.each(modes)('a data folder ($mode)', ({ start }) => {
  /** A folder with a group of several hundred messages. */
  async function aFolder(): Promise<string> {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    await ana.createGroup({ kind: 'group', groupId: 'kitchen' })
    await Promise.all(
      Array.from({ length: 600 }, (_, i) => ana.sendMessage(text('kitchen', `${i} ${'x'.repeat(300)}`))),
    )
    await engine.close()
    return dataDir
  }

  it('with damaged pages is not ready once they were read', async () => {
    const dataDir = await aFolder()
    const path = databasePath(dataDir)
    const file = openSync(path, 'r+')
    const pages = statSync(path).size / 4_096
    for (let page = Math.floor(pages / 2); page < pages; page++)
      writeSync(file, Buffer.alloc(4_096, 0x5a), 0, 4_096, page * 4_096)
    closeSync(file)
    const error = vi.fn()
    const engine = await start({ dataDir, logger: { info: vi.fn(), warn: vi.fn(), error } })
    const ask = (after: number) =>
      engine.request({ userId: 'ana' }, 'get_history', { groupId: 'kitchen', after, limit: 200 })
    const codes = await Promise.all(
      [1, 100, 200, 300, 400, 500].map((after) =>
        ask(after).then(
          () => 'answered',
          ({ code }) => code,
        ),
      ),
    )
    // What can be read is answered, and no error is `internal`.
    expect(new Set(codes)).toContain('storage_unavailable')
    expect(codes).not.toContain('internal')
    await expect(ask(codes.indexOf('storage_unavailable') * 100 || 1)).rejects.toMatchObject({
      ...refusal('storage_unavailable'),
      retryAfterMs: expect.any(Number),
    })
    await vi.waitFor(() =>
      expect(engine.health()).toEqual({ ready: false, reason: expect.stringContaining('damaged') }),
    )
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ cause: expect.any(String) }),
      expect.stringContaining('restore it from a backup'),
    )
  })

  it.each(['missing', 'empty'])('whose database is %s beside other data is refused', async (how) => {
    const dataDir = await aFolder()
    if (how === 'missing') rmSync(databasePath(dataDir))
    else truncateSync(databasePath(dataDir), 0)
    await expect(start({ dataDir })).rejects.toThrow(/tertulia\.db is missing or empty.*search\.db/)
    rmSync(join(dataDir, 'search.db'))
    const engine = await start({ dataDir })
    expect(engine.health().ready).toBe(true)
  })
})
