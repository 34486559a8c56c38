import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { FileFolder, prepareFolder } from '../../../engine/files/file-folder.ts'
import { FileStore } from '../../../engine/files/file-store.ts'
import { Janitor } from '../../../engine/files/janitor.ts'
import { openReader, openWriter } from '../../../engine/storage/sqlite/database.ts'
import { FileRows } from '../../../engine/storage/sqlite/file-rows.ts'
import { Reader } from '../../../engine/storage/sqlite/reader.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import type { File, Message } from '../../../protocol/records.ts'
import { eventually } from '../../support/conditions.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aPost } from '../../support/groups.ts'
import { aGroupEntry, aMemberEntry } from '../../support/store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A database with Ana's group, a store, and a janitor whose clock the test sets. */
function aHouse() {
  const dataDir = temporaryFolder()
  const folder = new FileFolder(dataDir)
  prepareFolder(folder)
  const db = openWriter(dataDir, 'process')
  const writer = new Writer(db)
  const reader = new Reader(openReader(dataDir))
  const clock = { nowMs: Date.now() }
  const commits = { areFailing: false }
  const now = () => clock.nowMs
  const store = new FileStore({
    dataDir,
    maxUploadBytes: 1_000,
    quotaBytes: 0,
    clock: { now, steadyNow: now },
  })
  const janitor = new Janitor({ folder, rows: new FileRows(db), now, isFailing: () => commits.areFailing })
  onTestFinished(async () => {
    janitor.close()
    await store.close()
    reader.close()
    writer.close()
  })
  writer.commit([aGroupEntry('g'), aMemberEntry('g', 'ana')])
  let made = 0
  const newId = () => `0000000000${String(made++).padStart(16, '0')}`
  const announced = (size: number) => ({ groupId: 'g', fileName: 'a', size })
  return {
    store,
    folder,
    db,
    writer,
    janitor,
    clock,
    commits,
    begin: () =>
      store.run({
        call: 'begin',
        userId: 'ana',
        announced: announced(5),
        storedBytes: 0,
        newId: newId(),
        now: now(),
      }),
    /** Stored bytes that the database does not know yet. */
    async bytes(text: string): Promise<File> {
      const bytes = Buffer.from(text)
      const call = {
        call: 'store',
        userId: 'ana',
        announced: announced(bytes.length),
        bytes,
        storedBytes: 0,
      } as const
      return (await store.run({ ...call, newId: newId(), now: now() })).file
    },
    async file(text: string): Promise<File> {
      const file = await this.bytes(text)
      this.add(file)
      return file
    },
    add: (file: File) => writer.commit([{ type: 'file', groupId: 'g', file, uploadedBy: 'ana', at: now() }]),
    has: (file: File) => existsSync(folder.content(file.sha256)),
    row: ({ fileId }: File) => reader.run({ read: 'file', fileId }),
    post: (seq: number, file: File) => writer.commit([{ type: 'message', message: { ...aPost(seq), file } }]),
    recall: (seq: number) => writer.commit([{ type: 'change', message: recalled(seq) }]),
  }
}

/** The same with a started janitor, whose interval `vi.advanceTimersByTime` advances. */
function aRunningHouse() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const house = aHouse()
  house.janitor.start()
  return house
}

function recalled(seq: number): Message {
  return { ...aPost(seq, ''), recalledAt: 1 }
}

describe('the janitor', () => {
  it('removes a file that no message has shown for a day, and retains one that a message shows', async () => {
    const house = aHouse()
    const [unused, used] = [await house.file('unused'), await house.file('used')]
    house.post(1, used)
    house.clock.nowMs += DAY_MS - 1
    await house.janitor.round()
    await house.janitor.round()
    expect([house.has(unused), house.row(unused)?.file.fileId]).toEqual([true, unused.fileId])
    house.clock.nowMs += 2
    await house.janitor.round()
    await house.janitor.round()
    // First the file is unavailable, then its bytes are removed.
    expect([house.has(unused), house.row(unused)]).toEqual([true, null])
    await house.janitor.round()
    expect([house.has(unused), house.has(used), house.row(used)?.shown]).toEqual([false, true, true])
  })

  it('retains a file that is posted while it is being removed', async () => {
    const house = aHouse()
    const file = await house.file('late')
    house.clock.nowMs += 2 * DAY_MS
    await house.janitor.round()
    house.post(1, file)
    await house.janitor.round()
    await house.janitor.round()
    expect([house.has(file), house.row(file)?.shown]).toEqual([true, true])
  })

  it('removes the file of a recalled message in the second round', async () => {
    const house = aHouse()
    const file = await house.file('secret')
    house.post(1, file)
    house.recall(1)
    await house.janitor.round()
    // First it is unavailable.
    expect([house.has(file), house.row(file)]).toEqual([true, null])
    await house.janitor.round()
    expect([house.has(file), house.row(file)]).toEqual([false, null])
  })

  it('retains a file that is posted again in the transaction after the deletion of its last message', async () => {
    const house = aHouse()
    const file = await house.file('again')
    house.post(1, file)
    await house.janitor.round()
    house.recall(1)
    await house.janitor.round()
    house.post(2, file)
    await house.janitor.round()
    await house.janitor.round()
    expect([house.has(file), house.row(file)?.shown]).toEqual([true, true])
    // Its time begins again with the next deletion.
    house.recall(2)
    await house.janitor.round()
    house.post(3, file)
    await house.janitor.round()
    expect([house.has(file), house.row(file)?.shown]).toEqual([true, true])
  })

  it('retains a file whose upload is completed again after the deletion of its last message', async () => {
    const house = aHouse()
    const file = await house.file('again')
    house.post(1, file)
    house.recall(1)
    await house.janitor.round()
    house.add(file)
    await house.janitor.round()
    await house.janitor.round()
    expect([house.has(file), house.row(file)?.shown]).toEqual([true, false])
  })

  it('retains bytes that another file has too', async () => {
    const house = aHouse()
    const [one, two] = [await house.file('same'), await house.file('same')]
    house.post(1, one)
    house.post(2, two)
    house.recall(1)
    await house.janitor.round()
    await house.janitor.round()
    expect([house.row(one), house.has(two)]).toEqual([null, true])
    house.recall(2)
    await house.janitor.round()
    await house.janitor.round()
    expect(house.has(two)).toBe(false)
  })

  it('retains bytes of a file that was posted again, when another file with the same bytes is removed', async () => {
    const house = aHouse()
    const [one, two] = [await house.file('same'), await house.file('same')]
    house.post(1, one)
    house.post(2, two)
    house.recall(1)
    await house.janitor.round()
    house.recall(2)
    await house.janitor.round()
    house.post(3, two)
    await house.janitor.round()
    expect([house.row(one), house.has(two), house.row(two)?.shown]).toEqual([null, true, true])
  })

  it('removes all files of deleted messages when storage stops', async () => {
    const house = aHouse()
    const [one, two] = [await house.file('same'), await house.file('same')]
    house.post(1, one)
    house.post(2, two)
    house.recall(1)
    house.recall(2)
    await house.janitor.finish()
    expect([house.has(one), house.db.prepare('SELECT count(*) FROM files').pluck().get()]).toEqual([false, 0])
  })

  it('retains bytes that were just stored again, before the database has a row', async () => {
    const house = aHouse()
    const old = await house.file('same')
    house.post(1, old)
    house.recall(1)
    await house.janitor.round()
    const fresh = await house.bytes('same')
    await house.janitor.round()
    expect([house.row(old), house.has(fresh)]).toEqual([null, true])
  })

  it('removes bytes that never became a file of a group after an hour', async () => {
    const house = aHouse()
    const file = await house.bytes('lost')
    house.clock.nowMs += HOUR_MS + 1
    await house.janitor.round()
    expect([house.has(file), readdirSync(house.folder.partial)]).toEqual([false, []])
  })

  it('removes an upload that has been idle for a day', async () => {
    const house = aHouse()
    const { uploadId: old } = await house.begin()
    const { uploadId: young } = await house.begin()
    const longAgo = new Date(house.clock.nowMs - DAY_MS - 1_000)
    for (const kind of ['part', 'json'] as const)
      utimesSync(house.folder.ofUpload(old, kind), longAgo, longAgo)
    utimesSync(house.folder.ofUpload(young, 'json'), longAgo, longAgo)
    await house.janitor.round()
    expect(readdirSync(house.folder.partial).sort()).toEqual([`${young}.json`, `${young}.part`])
  })

  it('removes a file of a deleted message in its second check, and only after commits have succeeded in between', async () => {
    const house = aRunningHouse()
    const check = () => vi.advanceTimersByTime(10_000)
    const file = await house.file('secret')
    house.post(1, file)
    house.recall(1)
    check()
    await house.janitor.round()
    house.commits.areFailing = true
    check()
    house.commits.areFailing = false
    check()
    await house.janitor.round()
    expect(house.has(file)).toBe(true)
    check()
    await house.janitor.round()
    expect(house.has(file)).toBe(false)
  })

  it('runs a round every ten minutes', async () => {
    const house = aRunningHouse()
    const file = await house.file('unused')
    house.clock.nowMs += DAY_MS + 1
    vi.advanceTimersByTime(599_999)
    expect(house.row(file)).not.toBeNull()
    vi.advanceTimersByTime(1)
    await eventually(() => expect(house.row(file)).toBeNull())
  })

  it('does nothing once it is closed', async () => {
    const house = aHouse()
    const file = await house.file('unused')
    house.clock.nowMs += 2 * DAY_MS
    const round = house.janitor.round()
    house.janitor.close()
    await round
    await house.janitor.round()
    expect(house.has(file)).toBe(true)
  })
})
