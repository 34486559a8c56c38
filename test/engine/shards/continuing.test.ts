import { describe, expect, it } from 'vitest'
import type { InterruptedTopic } from '../../../engine/actors/continuing.ts'
import { Continuing } from '../../../engine/shards/continuing.ts'

/** Groups in storage by their newest seq, and the loaded ones. */
function aShard(stored: Readonly<Record<string, number>>, loaded: Readonly<Record<string, number>> = {}) {
  const did: string[] = []
  const reads: string[][] = []
  const later: (() => void)[] = []
  let failing = false
  const continuing = new Continuing({
    async newest(groupIds) {
      reads.push([...groupIds])
      if (failing) throw new Error('storage fails')
      return groupIds.map((id) => stored[id] ?? 0)
    },
    steadyNow: () => 0,
    isAt: (id, seq) => (id in loaded ? loaded[id] === seq : undefined),
    mayHaveBeenLoaded: (id) => id === 'released',
    deliver: (id, { front, from }) => did.push(`load ${id} for ${front} from ${from}`),
    live: (front, id) => did.push(`live ${id} in ${front}`),
    report: (error) => did.push(String(error)),
    after: (_, then) => later.push(then),
  })
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
    return did.splice(0)
  }
  return {
    continuing,
    reads,
    settle,
    setFailing: (fails: boolean) => {
      failing = fails
    },
    runLater: () => {
      for (const then of later.splice(0)) then()
    },
  }
}

describe('topics of a front', () => {
  // RES-3
  it('continue at once where nothing was missed; only other groups are loaded', async () => {
    const { continuing, reads, settle } = aShard({ same: 5, newer: 6, older: 4, released: 5 }, { open: 5 })
    const ids = ['same', 'newer', 'older', 'released', 'nothing', 'open']
    continuing.add(
      1,
      ids.map((id) => [id, 5, false] as const),
    )
    expect(await settle()).toEqual([
      'live open in 1',
      'live same in 1',
      'load newer for 1 from 5',
      'load older for 1 from 5',
      'load released for 1 from 5',
      'load nothing for 1 from 5',
    ])
    expect(reads).toEqual([['same', 'newer', 'older', 'released', 'nothing']])
  })

  it('are read in slices, and loaded 64 at a time', async () => {
    const { continuing, reads, settle } = aShard({})
    const topics = Array.from({ length: 1_200 }, (_, i): InterruptedTopic => [`g${i}`, 1, false])
    continuing.add(1, topics)
    expect((await settle()).length).toBe(64)
    expect(reads.map(({ length }) => length)).toEqual([500, 500, 200])
    continuing.continued(1, 'g0', 'live')
    expect(await settle()).toEqual(['load g64 for 1 from 1'])
    expect(continuing.size).toBe(1_199)
  })

  it('come before a session that is attached to the group', async () => {
    const { continuing, settle } = aShard({ g: 5 })
    continuing.add(1, [['g', 5, false]])
    continuing.add(2, [['g', 4, false]])
    expect(continuing.has('g')).toBe(true)
    continuing.finish('g')
    expect([continuing.has('g'), await settle()]).toEqual([
      false,
      ['load g for 1 from 5', 'load g for 2 from 4'],
    ])
  })

  it('are tried again if storage or the group fails', async () => {
    const { continuing, settle, setFailing, runLater } = aShard({ g: 5, h: 6 })
    setFailing(true)
    continuing.add(1, [
      ['g', 5, false],
      ['h', 5, false],
    ])
    expect(await settle()).toEqual(['Error: storage fails'])
    setFailing(false)
    runLater()
    expect(await settle()).toEqual(['live g in 1', 'load h for 1 from 5'])
    continuing.continued(1, 'h', { laterFrom: 6 })
    // A session that is attached meanwhile would get older events through the topic.
    expect(continuing.has('h')).toBe(true)
    runLater()
    expect(await settle()).toEqual(['load h for 1 from 6'])
  })

  it('load the group whose newest event is in doubt, whatever storage has', async () => {
    const { continuing, reads, settle } = aShard({ g: 5, h: 6 }, { open: 5 })
    continuing.add(
      1,
      ['g', 'h', 'open'].map((id) => [id, 5, true] as const),
    )
    expect(await settle()).toEqual(['live open in 1', 'load g for 1 from 5', 'load h for 1 from 5'])
    expect(reads).toEqual([])
  })
})
