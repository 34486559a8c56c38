import { describe, expect, it } from 'vitest'
import { connect, startServer } from './server.ts'

describe('server_shutdown', () => {
  it('gives each client its own reconnect time, within five seconds', async () => {
    const server = await startServer()
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => connect(server, `user${i}`)))
    const closed = server.close('maintenance')
    const times = await Promise.all(
      clients.map(async (client) => (await client.next('server_shutdown')).fields.reconnectInMs),
    )
    await closed
    for (const time of times) {
      expect(Number.isInteger(time)).toBe(true)
      expect(time).toBeGreaterThanOrEqual(0)
      expect(time).toBeLessThan(5_000)
    }
    // Twenty of five thousand values: two may be equal by chance, but not half of them.
    expect(new Set(times).size).toBeGreaterThan(10)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(1_000)
  })
})
