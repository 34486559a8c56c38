import { existsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { acceptCommands, askForDeployment } from '../../../server/fronts/control.ts'
import { socketPath } from '../../../server/fronts/socket-path.ts'
import type { Deployed } from '../../../server/fronts/supervisor.ts'
import { temporaryFolder } from '../../support/engines.ts'

type Deploy = (what: Deployed, report: (step: string) => void) => Promise<void>

async function controlled(deploy: Deploy): Promise<string> {
  const path = join(temporaryFolder(), 'control.sock')
  const commands = await acceptCommands(path, { deploy })
  onTestFinished(() => {
    commands.close()
    expect(existsSync(path)).toBe(false)
  })
  return path
}

describe('the control socket', () => {
  it('passes on what is deployed, each step, and the end', async () => {
    const asked: string[] = []
    const path = await controlled(async (what, report) => {
      asked.push(what)
      report('one')
      report('two')
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const steps: string[] = []
    await askForDeployment(path, 'all', (step) => steps.push(step))
    await askForDeployment(path, 'engine', (step) => steps.push(step))
    expect([asked, steps]).toEqual([
      ['all', 'engine'],
      ['one', 'two', 'one', 'two'],
    ])
  })

  it('passes on why a deployment fails', async () => {
    const path = await controlled(() => Promise.reject(new Error('a deployment is running')))
    await expect(askForDeployment(path, 'all', () => {})).rejects.toThrow('a deployment is running')
  })

  it('closes a connection that sends something else', async () => {
    const path = await controlled(() => Promise.reject(new Error('not called')))
    const answers = ['x'.repeat(100), 'all of it\n'].map(async (line) => {
      const socket = connect(path)
      socket.write(line)
      let text = ''
      for await (const data of socket) text += data
      return text
    })
    expect(await Promise.all(answers)).toEqual(['', '{"failed":"unknown command"}\n'])
  })

  it('is missing where no server with fronts runs', async () => {
    await expect(askForDeployment(join(temporaryFolder(), 'control.sock'), 'all', () => {})).rejects.toThrow(
      'no server with fronts runs here',
    )
  })
})

describe('the path of a socket', () => {
  it('is in the data folder, and refused if the system would cut it', () => {
    expect(socketPath('./data', 'link.sock')).toBe('data/link.sock')
    expect(() => socketPath(`/${'x'.repeat(100)}`, 'link.sock')).toThrow(/^DATA_DIR is too long for FRONTS: /)
  })
})
