import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { OtherFronts } from '../../../server/socket-io/other-fronts.ts'
import type { Request, Response } from '../../../server/transport/transport.ts'
import { temporaryFolder } from '../../support/engines.ts'

describe('a request that is passed on to another front', () => {
  // INP-2
  it('is ended when its body is larger than allowed, though the other front would read all of it', () => {
    const socketPath = join(temporaryFolder(), 'front.sock')
    const server = createServer((request) => request.resume()).listen(socketPath)
    onTestFinished(() => void server.close())
    const others = new OtherFronts({ own: 1, pathOf: () => socketPath, maxBytes: 10_000 })
    let receive: (chunk: Uint8Array, isLast: boolean) => void = () => {}
    let isDestroyed = false
    const response = {
      onAborted() {},
      onData(then: typeof receive) {
        receive = then
      },
      destroy() {
        isDestroyed = true
      },
    } as unknown as Response
    const request = { method: 'POST', path: '/socket.io/', query: 'sid=2.x', header: () => '' }
    expect(others.passOn('2.x', request as unknown as Request, response, () => {})).toBe(true)
    receive(new Uint8Array(9_000), false)
    expect(isDestroyed).toBe(false)
    receive(new Uint8Array(9_000), false)
    expect(isDestroyed).toBe(true)
  })
})
