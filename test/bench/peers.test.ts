import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadTransport } from '../../server/transport/load.ts'

const runner = fileURLToPath(new URL('../../dist/bench/peers/run.js', import.meta.url))

function run(...args: string[]) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [runner, ...args], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr })
    })
  })
}

/** The work that takes least time, with every peer that is an npm package. */
const least = ['--quick', '--repeats', '0', '--connections', '20', '--seconds', '0.2', '--only', 'large']

/** Peers on uWebSockets.js are left out where it does not load. */
const uwsLoads = await loadTransport('uws').then(
  () => true,
  () => false,
)

describe('the peers bench', () => {
  it.each(
    [
      ['ws', '`ws` loop'],
      ['uws', 'bare uWebSockets.js'],
      ['socket.io', 'Socket.IO, ws'],
      ['socket.io-uws', 'Socket.IO, uWebSockets.js'],
      ['tertulia', 'Tertulia, msgpack'],
      ['tertulia-json', 'Tertulia, JSON'],
      ['tertulia-socket.io', 'Tertulia, Socket.IO'],
    ].filter(([name]) => uwsLoads || !name?.includes('uws')),
  )('does its work with %s', async (name, label) => {
    const { code, stdout, stderr } = await run(...least, '--peer', name)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const table = stdout.slice(stdout.indexOf('One group of 1,000'))
    expect(table).toContain(label)
    expect(table).not.toContain('failed')
  })

  it.each([
    [['--peer', 'nobody'], 'no peer "nobody"'],
    [['--only', 'nothing'], 'no work "nothing"'],
    [['--connections', '5'], '--connections must be a whole number from 20'],
    [['--seconds', 'soon'], '--seconds must be from 0.1 to 600'],
  ])('refuses %j and shows the options', async (args, reason) => {
    const { code, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(reason)
    expect(stderr).toContain('--quick')
  })
})
