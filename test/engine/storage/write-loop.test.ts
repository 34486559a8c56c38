import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { LaneOffset } from '../../../engine/log/log.ts'
import { EntryError } from '../../../engine/storage/entry-error.ts'
import { WriteLoop } from '../../../engine/storage/write-loop.ts'
import { ownerOf } from '../../../engine/stored/entry-owner.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import { eventually } from '../../support/conditions.ts'
import { temporaryFolder } from '../../support/engines.ts'

const entry = (userId: string): LogEntry => ({ type: 'user', userId, name: '', picture: '' })
/** What one turn appends to the one lane of a source. */
const ofLane0 = (entries: readonly LogEntry[]) => ({ lane: 0, entries })
const turn = (name: string, size: number) => Array.from({ length: size }, (_, i) => entry(`${name}${i}`))

/** A committer that records its input and fails on demand, and sources that record their notifications. */
function aLoop(walPath = '/nowhere', requestCopy?: () => void) {
  const commits: string[][] = []
  const state = { failures: 0, settled: 0, checkpoints: 0, readers: 0, copied: [] as unknown[] }
  const loop = new WriteLoop(
    {
      commit(entries) {
        if (state.failures > 0) {
          state.failures -= 1
          throw new Error('no room')
        }
        commits.push(entries.map((one) => (one.type === 'user' ? one.userId : '')))
      },
      settle: () => {
        state.settled += 1
      },
      checkpoint: (copied) => {
        state.checkpoints += 1
        if (copied) state.copied.push(copied)
        if (state.readers > 0) state.readers -= 1
        else return true
        return false
      },
    },
    walPath,
    () => {},
    requestCopy,
  )
  const source = () => {
    const received: (number | string)[] = []
    const one = {
      lanes: [0],
      committed: ([[, offset] = [0, 0]]: readonly LaneOffset[]) => received.push(offset),
      failing: (why: string) => received.push(why),
      refused: (_lane: number, owner: string, from: number, why: string) =>
        received.push(`${owner} from ${from}: ${why}`),
    }
    loop.addSource(one)
    return { one, received }
  }
  return { loop, commits, state, source }
}

/** A file of this size, which the loop measures as its WAL. */
function aWal(bytes: number): string {
  const path = join(temporaryFolder(), 'wal')
  writeFileSync(path, '')
  truncateSync(path, bytes)
  return path
}

/** Timers that `vi.advanceTimersByTime` advances, until the end of the test. */
function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Work that was deferred to the end of the turn has run. */
const turnEnds = () => new Promise((resolve) => setImmediate(resolve))

describe('the write loop', () => {
  it('commits everything queued in one transaction, and notifies each source of its own offset', async () => {
    const { loop, commits, source } = aLoop()
    const [a, b] = [source(), source()]
    loop.push(a.one, ofLane0(turn('a', 2)))
    loop.push(b.one, ofLane0(turn('b', 1)))
    loop.push(a.one, ofLane0(turn('c', 1)))
    await eventually(() => expect(commits).toEqual([['a0', 'a1', 'b0', 'c0']]))
    expect([a.received, b.received]).toEqual([[3], [1]])
    loop.close()
  })

  it('reports the lanes of a source with their own offsets, and after a failure all of them', async () => {
    const { loop, state } = aLoop()
    const reached: LaneOffset[][] = []
    const source = {
      lanes: [0, 2, 4],
      committed: (lanes: readonly LaneOffset[]) => reached.push([...lanes]),
      failing: () => reached.push([]),
      refused() {},
    }
    loop.addSource(source)
    loop.push(source, { lane: 4, entries: turn('a', 2) })
    loop.push(source, { lane: 0, entries: turn('b', 1) })
    loop.push(source, { lane: 4, entries: turn('c', 1) })
    await eventually(() =>
      expect(reached).toEqual([
        [
          [4, 3],
          [0, 1],
        ],
      ]),
    )
    state.failures = 1
    loop.push(source, { lane: 0, entries: turn('d', 1) })
    await eventually(() =>
      expect(reached.slice(1)).toEqual([
        [],
        [
          [0, 2],
          [2, 0],
          [4, 3],
        ],
      ]),
    )
    loop.close()
  })

  it('never splits the writes of one turn', async () => {
    const { loop, commits, source } = aLoop()
    const { one, received } = source()
    for (let i = 0; i < 3; i++) loop.push(one, ofLane0(turn(`${i}-`, 3_000)))
    await eventually(() => expect(commits.map((entries) => entries.length)).toEqual([6_000, 3_000]))
    expect(received).toEqual([6_000, 9_000])
    loop.close()
  })

  it('loses neither entries nor order if a commit fails, and notifies all sources when writes succeed again', async () => {
    const { loop, commits, state, source } = aLoop()
    const [a, b] = [source(), source()]
    state.failures = 2
    loop.push(a.one, ofLane0(turn('a', 1)))
    await eventually(() => expect(b.received).toEqual(['no room']))
    expect(loop.isFailing).toBe(true)
    loop.push(a.one, ofLane0(turn('b', 1)))
    await eventually(() => expect(commits).toEqual([['a0', 'b0']]))
    expect(loop.isFailing).toBe(false)
    expect(a.received).toEqual(['no room', 'no room', 2])
    // Nothing of its own was committed, but storage works again.
    expect(b.received).toEqual(['no room', 'no room', 0])
    loop.close()
  })

  // An entry that cannot be applied fails its group, never the whole log.
  describe('where an entry can never be applied', () => {
    const receipt = (groupId: string, userId: string): LogEntry => ({ type: 'unban', groupId, userId })
    const restart = (groupId: string): LogEntry => ({ type: 'restart', groupId })

    /** A loop whose committer refuses the entries of the user Bad. */
    function aStrictLoop() {
      const applied: string[] = []
      let refusals = 0
      const loop = new WriteLoop(
        {
          commit(entries) {
            const bad = entries.find((one) => 'userId' in one && one.userId === 'bad')
            if (bad) {
              refusals += 1
              throw new EntryError(bad, new Error('cannot be bound'))
            }
            for (const one of entries)
              applied.push(`${ownerOf(one)} ${'userId' in one ? one.userId : one.type}`)
          },
          settle() {},
          checkpoint: () => true,
        },
        '/nowhere',
      )
      const received: (number | string)[] = []
      const source = {
        lanes: [0],
        committed: ([[, offset] = [0, 0]]: readonly LaneOffset[]) => received.push(offset),
        failing: (why: string) => received.push(why),
        refused: (_lane: number, owner: string, from: number, why: string) =>
          received.push(`${owner} from ${from}: ${why}`),
      }
      loop.addSource(source)
      return { loop, source, applied, received, refusals: () => refusals }
    }

    it('commits the rest, and leaves out its group from that turn on until it restarts', async () => {
      const { loop, source, applied, received } = aStrictLoop()
      loop.push(source, ofLane0([receipt('g', 'before'), receipt('h', '1')]))
      loop.push(source, ofLane0([receipt('h', '2'), receipt('g', 'same turn'), receipt('g', 'bad')]))
      loop.push(source, ofLane0([receipt('g', 'later'), receipt('h', '3')]))
      await eventually(() => expect(received).toEqual(['g from 4: cannot be bound', 7]))
      expect(applied).toEqual(['g before', 'h 1', 'h 2', 'h 3'])
      loop.push(source, ofLane0([receipt('g', 'still on its way'), restart('g'), receipt('g', 'after')]))
      await eventually(() => expect(received.at(-1)).toBe(10))
      expect(applied.slice(4)).toEqual(['g after'])
      loop.close()
    })

    it('leaves out only the turn of a user, which needs no restart', async () => {
      const { loop, source, applied, received } = aStrictLoop()
      loop.push(source, ofLane0([entry('bad'), entry('ana')]))
      loop.push(source, ofLane0([entry('bruno')]))
      await eventually(() => expect(received).toEqual(['user:bad from 1: cannot be bound', 3]))
      expect(applied).toEqual(['user:ana ana', 'user:bruno bruno'])
      loop.close()
    })

    it('delays nothing when it closes', () => {
      const { loop, source, applied, refusals } = aStrictLoop()
      loop.push(source, ofLane0([receipt('g', 'bad'), receipt('h', 'bad'), receipt('i', '1')]))
      loop.close()
      expect([applied, refusals()]).toEqual([['i 1'], 2])
    })
  })

  it('commits the rest when it closes, and throws if it cannot', () => {
    const { loop, commits, state, source } = aLoop()
    const { one, received } = source()
    loop.push(one, ofLane0(turn('a', 1)))
    loop.close()
    expect([commits, received, state.settled]).toEqual([[['a0']], [1], 1])
    loop.push(one, ofLane0(turn('b', 1)))
    state.failures = 1
    expect(() => loop.close()).toThrow('no room')
  })

  it('updates the counters and empties the WAL once it is idle, not while there is work', async () => {
    fakeTimers()
    const { loop, commits, state, source } = aLoop(aWal(1))
    const { one } = source()
    for (const name of ['a', 'b']) {
      loop.push(one, ofLane0(turn(name, 1)))
      await turnEnds()
      vi.advanceTimersByTime(900)
      expect([state.settled, state.checkpoints]).toEqual([0, 0])
    }
    expect(commits.length).toBe(2)
    vi.advanceTimersByTime(100)
    expect([state.settled, state.checkpoints]).toEqual([1, 1])
    vi.advanceTimersByTime(60_000)
    expect([state.settled, state.checkpoints]).toEqual([1, 1])
    loop.close()
  })

  it('empties a large WAL between two transactions, without waiting until it is idle', async () => {
    const { loop, state, source } = aLoop(aWal(16 * 1024 * 1024 + 1))
    loop.push(source().one, ofLane0(turn('a', 1)))
    await eventually(() => expect([state.settled, state.checkpoints]).toEqual([0, 1]))
    loop.close()
  })

  it('lets another thread copy a large WAL, commits meanwhile, and empties it when it is copied', async () => {
    let requests = 0
    const { loop, commits, state, source } = aLoop(aWal(16 * 1024 * 1024 + 1), () => {
      requests += 1
    })
    const { one } = source()
    for (const name of ['a', 'b', 'c']) {
      loop.push(one, ofLane0(turn(name, 1)))
      await turnEnds()
    }
    expect([commits.length, requests, state.checkpoints]).toEqual([3, 1, 0])
    const frames = { salt: 'salt', frames: 7 }
    loop.copied(frames)
    expect([state.checkpoints, state.copied]).toEqual([1, [frames]])
    loop.push(one, ofLane0(turn('d', 1)))
    await turnEnds()
    loop.copied(null)
    expect([requests, state.checkpoints, state.copied]).toEqual([2, 2, [frames]])
    loop.close()
  })

  it('never copies the WAL while another thread does, and then does it at once', async () => {
    fakeTimers()
    const { loop, state, source } = aLoop(aWal(16 * 1024 * 1024 + 1), () => {})
    loop.push(source().one, ofLane0(turn('a', 1)))
    await turnEnds()
    vi.advanceTimersByTime(60_000)
    expect(state.checkpoints).toBe(0)
    loop.copied(null)
    expect(state.checkpoints).toBe(1)
    loop.close()
  })

  it('holds commits while the WAL is far too large and another thread copies it', async () => {
    fakeTimers()
    const { loop, commits, source } = aLoop(aWal(128 * 1024 * 1024 + 1), () => {})
    const { one } = source()
    loop.push(one, ofLane0(turn('a', 1)))
    await turnEnds()
    loop.push(one, ofLane0(turn('b', 1)))
    await turnEnds()
    vi.advanceTimersByTime(10_000)
    expect(commits).toEqual([['a0']])
    loop.copied(null)
    vi.advanceTimersByTime(10)
    expect(commits).toEqual([['a0'], ['b0']])
    loop.close()
  })

  it('empties the WAL within twenty seconds of a commit, under any load and with any readers', async () => {
    // PRV-3
    fakeTimers()
    const { loop, state, source } = aLoop(aWal(1))
    const { one } = source()
    const busyFor500Ms = async () => {
      loop.push(one, ofLane0(turn('a', 1)))
      await turnEnds()
      vi.advanceTimersByTime(500)
    }
    for (let i = 0; i < 39; i++) await busyFor500Ms()
    expect(state.checkpoints).toBe(0)
    state.readers = 2
    for (const checkpoints of [1, 2, 3, 3]) {
      await busyFor500Ms()
      expect(state.checkpoints).toBe(checkpoints)
    }
    loop.close()
  })

  it('retries with doubled delays, up to two seconds, and starts again with a short one after a success', async () => {
    fakeTimers()
    const { loop, commits, state, source } = aLoop()
    const { one, received } = source()
    state.failures = 8
    loop.push(one, ofLane0(turn('a', 1)))
    await turnEnds()
    for (const [tries, waitMs] of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000].entries()) {
      expect(received.length).toBe(tries + 1)
      vi.advanceTimersByTime(waitMs - 1)
      expect(received.length).toBe(tries + 1)
      vi.advanceTimersByTime(1)
    }
    expect([commits, received.at(-1)]).toEqual([[['a0']], 1])
    state.failures = 1
    loop.push(one, ofLane0(turn('b', 1)))
    await turnEnds()
    vi.advanceTimersByTime(50)
    expect([commits.at(-1), received.at(-1)]).toEqual([['b0'], 2])
    loop.close()
  })
})
