import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../engine/storage/log.ts'
import { WriteLoop } from '../../../engine/storage/write-loop.ts'
import { eventually } from '../../support/conditions.ts'

const entry = (userId: string): LogEntry => ({ type: 'user', userId, name: '', picture: '' })
const turn = (name: string, size: number) => Array.from({ length: size }, (_, i) => entry(`${name}${i}`))

/** A committer that notes what it gets, fails where it is told to, and sources that note what they hear. */
function aLoop() {
  const commits: string[][] = []
  const state = { failures: 0, settled: 0 }
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
      checkpoint: () => {},
    },
    '/nowhere',
  )
  const source = () => {
    const heard: (number | string)[] = []
    const one = {
      committed: (offset: number) => heard.push(offset),
      failing: (why: string) => heard.push(why),
    }
    loop.addSource(one)
    return { one, heard }
  }
  return { loop, commits, state, source }
}

describe('the write loop', () => {
  it('commits all that has arrived at once, and tells each source its own offset', async () => {
    const { loop, commits, source } = aLoop()
    const [a, b] = [source(), source()]
    loop.push(a.one, turn('a', 2))
    loop.push(b.one, turn('b', 1))
    loop.push(a.one, turn('c', 1))
    await eventually(() => expect(commits).toEqual([['a0', 'a1', 'b0', 'c0']]))
    expect([a.heard, b.heard]).toEqual([[3], [1]])
    loop.close()
  })

  it('never parts what one turn wrote', async () => {
    const { loop, commits, source } = aLoop()
    const { one, heard } = source()
    for (let i = 0; i < 3; i++) loop.push(one, turn(`${i}-`, 3_000))
    await eventually(() => expect(commits.map((entries) => entries.length)).toEqual([6_000, 3_000]))
    expect(heard).toEqual([6_000, 9_000])
    loop.close()
  })

  it('loses nothing and no order where a commit fails, and tells everybody when it is over', async () => {
    const { loop, commits, state, source } = aLoop()
    const [a, b] = [source(), source()]
    state.failures = 2
    loop.push(a.one, turn('a', 1))
    await eventually(() => expect(b.heard).toEqual(['no room']))
    loop.push(a.one, turn('b', 1))
    await eventually(() => expect(commits).toEqual([['a0', 'b0']]))
    expect(a.heard).toEqual(['no room', 'no room', 2])
    // Nothing of its own was committed, but storage is well again.
    expect(b.heard).toEqual(['no room', 'no room', 0])
    loop.close()
  })

  it('commits the rest when it closes, and says where it cannot', () => {
    const { loop, commits, state, source } = aLoop()
    const { one, heard } = source()
    loop.push(one, turn('a', 1))
    loop.close()
    expect([commits, heard, state.settled]).toEqual([[['a0']], [1], 1])
    loop.push(one, turn('b', 1))
    state.failures = 1
    expect(() => loop.close()).toThrow('no room')
  })
})
