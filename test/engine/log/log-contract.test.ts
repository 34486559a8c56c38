/**
 * The contract of `Log`: every implementation must pass it.
 */
import { describe, expect, it } from 'vitest'
import { laneOf } from '../../../engine/base/partition.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { eventually } from '../../support/conditions.ts'
import { logs } from '../../support/logs.ts'
import { blockWrites } from '../../support/storage.ts'
import { aGroupEntry, aMemberEntry, aPostEntry, aUserEntry } from '../../support/store.ts'

const gap = (groupId: string, seq: number): LogEntry => ({
  type: 'event',
  groupId,
  seq,
  code: events.gap.code,
  at: 0,
  frame: encodeEvent('gap', 0, { groupId, seq, from: seq - 1, to: seq - 1 }),
})
const post = (groupId: string, seq: number) => aPostEntry(seq, { groupId, messageId: `${groupId}:${seq}` })
const everything = { after: 0, upTo: 1_000, limit: 1_000 }
const what = (event: LoggedEvent) => `${event.seq} ${'message' in event ? 'post' : event.code}`
/** A group of another lane than `g`. */
const other = ['g1', 'g2', 'g3'].find((id) => laneOf(id) !== laneOf('g')) as string

describe.each(logs)('the log: $name', ({ open }) => {
  it('commits what is appended, and reports each lane with the number of its entries', async () => {
    const { write, committed } = await open()
    await write(aUserEntry('ana', 'Ana'), aGroupEntry('g'), aMemberEntry('g', 'ana'), aGroupEntry(other))
    await write(post('g', 1), post('g', 2))
    expect(committed.get(laneOf('g'))).toBe(laneOf('ana') === laneOf('g') ? 5 : 4)
    expect(committed.get(laneOf(other))).toBe(1)
  })

  it('returns the events of a group from a seq on, posts and others in one order', async () => {
    const { log, write } = await open()
    await write(aGroupEntry('g'), post('g', 1), gap('g', 3), post('g', 4), aGroupEntry(other), post(other, 1))
    const read = async (after: number, upTo: number, limit: number) =>
      (await log.events({ read: 'events', groupId: 'g', after, upTo, limit }, 'ana')).map(what)
    expect(await read(0, 1_000, 1_000)).toEqual(['1 post', '3 79', '4 post'])
    expect(await read(1, 1_000, 1)).toEqual(['3 79'])
    expect(await read(0, 3, 1_000)).toEqual(['1 post', '3 79'])
    expect(await log.events({ read: 'events', groupId: 'nowhere', ...everything }, 'ana')).toEqual([])
  })

  it('commits the batches of a lane in order', async () => {
    const { log, write } = await open()
    await write(aGroupEntry('g'), post('g', 1))
    const named = (name: string): LogEntry => aGroupEntry('g', { name })
    await Promise.all([write(named('first')), write(named('second')), write(named('third'), gap('g', 3))])
    const [, event] = await log.events({ read: 'events', groupId: 'g', ...everything }, 'ana')
    expect(event?.seq).toBe(3)
  })

  it('refuses an entry that cannot be applied, and fences its group until it restarts', async () => {
    const { log, write, reports } = await open()
    const lane = laneOf('g')
    await write(post('g', 1), aGroupEntry(other))
    await write(aGroupEntry('g'), post(other, 1))
    expect(reports[0]).toBe(`refused g in ${lane} from 1: no group g in the log`)
    expect(await log.events({ read: 'events', groupId: 'g', ...everything }, 'ana')).toEqual([])
    await write({ type: 'restart', groupId: 'g' }, aGroupEntry('g'), post('g', 2))
    const read = (groupId: string) => log.events({ read: 'events', groupId, ...everything }, 'ana')
    expect([(await read('g')).map(what), (await read(other)).map(what)]).toEqual([['2 post'], ['1 post']])
    expect(reports.filter((report) => report.startsWith('refused')).length).toBe(1)
  })

  it('reports lanes that cannot be committed, loses nothing, and reports when they accept writes', async () => {
    const { log, write, reports, dataDir } = await open()
    await write(aGroupEntry('g'))
    const unblock = blockWrites(dataDir)
    const written = write(post('g', 1), post('g', 2))
    await eventually(() => expect(reports).toContain('failing 32: database is locked'))
    unblock()
    await written
    expect((await log.events({ read: 'events', groupId: 'g', ...everything }, 'ana')).map(what)).toEqual([
      '1 post',
      '2 post',
    ])
    // All lanes recover, including those without entries.
    expect(reports.at(-1)).toBe('committed 32')
  })
})
