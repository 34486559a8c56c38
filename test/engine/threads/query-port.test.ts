import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { post, unpack } from '../../../engine/threads/packing.ts'
import { QueryPort } from '../../../engine/threads/query-port.ts'
import { refusal } from '../../support/sessions.ts'

/** A port that may have two open reads, and its far end. */
function aPort() {
  const { port1, port2 } = new MessageChannel()
  const port = new QueryPort(port1, queueMicrotask, 2, (_query, answer) => answer)
  onTestFinished(() => port.close())
  const asked = async () => unpack<[number, { readonly read: string }][]>((await once(port2, 'message'))[0])
  return { port, asked, answer: (...answers: unknown[]) => post(port2, answers) }
}

const names = (...userIds: string[]) => ({ read: 'profiles', userIds }) as const

describe('a query port', () => {
  it('sends the reads of a turn in one batch, and returns each its answer', async () => {
    const { port, asked, answer } = aPort()
    const reads = [port.ask(names('ana'), 'ana'), port.ask(names('bruno'), 'ana')]
    expect(await asked()).toEqual([
      [1, names('ana'), 'ana'],
      [2, names('bruno'), 'ana'],
    ])
    answer([2, true, ['Bruno']])
    answer([1, true, ['Ana']], [7, true, 'nobody asked'])
    expect(await Promise.all(reads)).toEqual([['Ana'], ['Bruno']])
  })

  it('passes a failure of the other side to the caller', async () => {
    const { port, asked, answer } = aPort()
    const read = port.ask(names('ana'), 'ana')
    await asked()
    answer([1, false, 'unreadable'])
    await expect(read).rejects.toThrow('unreadable')
  })

  it('refuses more reads than its limit as overloaded, and accepts more when there is room', async () => {
    const { port, asked, answer } = aPort()
    const first = port.ask(names('ana'), 'ana')
    const second = port.ask(names('bruno'), 'ana')
    await expect(port.ask(names('clara'), 'ana')).rejects.toMatchObject(refusal('overloaded'))
    await asked()
    answer([1, true, []], [2, true, []])
    await Promise.all([first, second])
    const third = port.ask(names('clara'), 'ana')
    await asked()
    answer([3, true, ['Clara']])
    expect(await third).toEqual(['Clara'])
  })
})
