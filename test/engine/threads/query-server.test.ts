import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { post, unpack } from '../../../engine/threads/packing.ts'
import { type AskedQuery, type QueryAnswer, QueryServer } from '../../../engine/threads/query-server.ts'

/** A server on given turns, whose queries take the milliseconds that they name. */
function begin() {
  const turns: (() => void)[] = []
  const run: string[] = []
  const slices: (readonly string[])[] = []
  let now = 0
  const server = new QueryServer<{ readonly name: string; readonly ms: number }>({
    run({ name, ms }) {
      run.push(name)
      now += ms
      if (name === 'broken') throw new Error('no such read')
      return name.toUpperCase()
    },
    together(slice) {
      const before = run.length
      slice()
      slices.push(run.slice(before))
    },
    defer: (task) => turns.push(task),
    steadyNow: () => now,
  })
  const open = () => {
    const { port1, port2 } = new MessageChannel()
    onTestFinished(() => port1.close())
    server.serve(port2)
    return port1
  }
  const turn = () => turns.shift()?.()
  return { server, open, run, slices, turn, turns }
}

type Query = { readonly name: string; readonly ms: number }

/** Asks, and waits until the server has it: ports deliver in a turn of their own. */
async function ask(port: MessagePort, queries: readonly AskedQuery<Query>[]) {
  post(port, queries)
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
}

async function answers(port: MessagePort): Promise<QueryAnswer[]> {
  const [batch] = (await once(port, 'message')) as [Uint8Array]
  return unpack(batch)
}

describe('the answering end of the ports of a thread', () => {
  // INP-2
  it('delays others by one slice where the queries of one user are many and slow', async () => {
    const { open, run, turn, turns } = begin()
    const [one, other] = [open(), open()]
    await ask(
      one,
      Array.from({ length: 50 }, (_, id) => [id, { name: `ana ${id}`, ms: 15 }, 'ana']),
    )
    turn()
    await ask(other, [[7, { name: 'bia', ms: 0 }, 'bia']])
    turn()
    turn()
    expect(run.indexOf('bia')).toBeLessThanOrEqual(2)
    expect(await answers(other)).toEqual([[7, true, 'BIA']])
    while (turns.length > 0) turn()
    expect(run).toHaveLength(51)
  })

  it('answers the quick queries of a batch together, as one batch', async () => {
    const { open, slices, turn } = begin()
    const port = open()
    await ask(port, [
      [1, { name: 'a', ms: 0 }, 'ana'],
      [2, { name: 'broken', ms: 0 }, 'ana'],
      [3, { name: 'c', ms: 0 }, 'bia'],
    ])
    turn()
    expect((await answers(port)).toSorted(([a], [b]) => a - b)).toEqual([
      [1, true, 'A'],
      [2, false, 'no such read'],
      [3, true, 'C'],
    ])
    expect(slices.map((slice) => slice.toSorted())).toEqual([['a', 'broken', 'c']])
  })

  it('answers nothing more when it is closed', async () => {
    const { server, open, run, turn } = begin()
    await ask(open(), [[1, { name: 'a', ms: 0 }, 'ana']])
    server.close()
    turn()
    expect(run).toEqual([])
  })
})
