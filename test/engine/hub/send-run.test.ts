import { describe, expect, it } from 'vitest'
import type { SessionPort } from '../../../engine/hub/gateway.ts'
import { SendRun } from '../../../engine/hub/send-run.ts'

/** A port that records its calls, with `[` and `]` around frames that are sent together. */
function aPort(said: string[], name: string, together: boolean): SessionPort {
  const port: SessionPort = {
    send: (frame) => void said.push(`${name}${frame[0]}`),
    subscribe() {},
    unsubscribe() {},
    close() {},
    whenDrained() {},
  }
  if (together) {
    port.together = (send) => {
      said.push('[')
      send()
      said.push(']')
    }
  }
  return port
}

describe('a run of consecutive frames', () => {
  it('for one port is sent together, otherwise separately, all in order', () => {
    const said: string[] = []
    const [a, b] = [aPort(said, 'a', true), aPort(said, 'b', true)]
    const run = new SendRun()
    for (const [port, number] of [
      [a, 1],
      [a, 2],
      [b, 3],
      [a, 4],
      [undefined, 5],
      [a, 6],
    ] as const) {
      run.add(port, Uint8Array.of(number))
    }
    expect(said).toEqual(['[', 'a1', 'a2', ']', 'b3'])
    run.end()
    run.end()
    expect(said.slice(5)).toEqual(['[', 'a4', 'a6', ']'])
  })

  it('is sent one by one if the port does not support runs', () => {
    const said: string[] = []
    const port = aPort(said, 'a', false)
    const run = new SendRun()
    for (const number of [1, 2]) run.add(port, Uint8Array.of(number))
    run.end()
    expect(said).toEqual(['a1', 'a2'])
  })
})
