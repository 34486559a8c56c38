import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const runner = fileURLToPath(new URL('../../dist/bench/peers/run.js', import.meta.url))

function run(...args: string[]) {
  return spawnSync(process.execPath, [runner, ...args], { encoding: 'utf8' })
}

describe('the peers bench', () => {
  it('does the same work with every peer that is an npm package', () => {
    const labels = {
      ws: '`ws` loop',
      uws: 'bare uWebSockets.js',
      'socket.io': 'Socket.IO, ws',
      'socket.io-uws': 'Socket.IO, uWebSockets.js',
      tertulia: 'Tertulia, msgpack',
      'tertulia-json': 'Tertulia, JSON',
      'tertulia-socket.io': 'Tertulia, Socket.IO',
    }
    const names = Object.keys(labels).join()
    const args = ['--quick', '--repeats', '0', '--connections', '20', '--seconds', '0.2']
    const { status, stdout, stderr } = run('--only', 'large', '--peer', names, ...args)
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const table = stdout.slice(stdout.indexOf('One group of 1,000'))
    for (const label of Object.values(labels)) expect(table).toContain(label)
    expect(table).not.toContain('failed')
  })

  it.each([
    [['--peer', 'nobody'], 'no peer "nobody"'],
    [['--only', 'nothing'], 'no work "nothing"'],
    [['--connections', '5'], '--connections must be a whole number from 20'],
    [['--seconds', 'soon'], '--seconds must be from 0.1 to 600'],
  ])('refuses %j and shows the options', (args, reason) => {
    const { status, stderr } = run(...args)
    expect(status).toBe(2)
    expect(stderr).toContain(reason)
    expect(stderr).toContain('--quick')
  })
})
