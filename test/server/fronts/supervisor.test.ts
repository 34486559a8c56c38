import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Child } from '../../../server/fronts/child.ts'
import type { FromChild } from '../../../server/fronts/child-messages.ts'
import { Supervisor } from '../../../server/fronts/supervisor.ts'
import { eventually } from '../../support/conditions.ts'

/** A process that does what the test says. */
class FakeProcess extends EventEmitter {
  readonly name: string
  readonly pid = 1
  readonly received: string[] = []
  connected = true
  /** Whether SIGTERM ends it. */
  obeys = true
  ended = false

  constructor(name: string) {
    super()
    this.name = name
  }

  send(message: string): boolean {
    this.received.push(message)
    return true
  }

  kill(signal: NodeJS.Signals): boolean {
    this.received.push(signal)
    if (this.obeys || signal === 'SIGKILL') this.exit(null, signal)
    return true
  }

  report(message: FromChild): void {
    this.emit('message', message)
  }

  exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    if (this.ended) return
    this.ended = true
    this.emit('exit', code, signal)
  }
}

/** A supervisor of fake processes; engines load and everything becomes ready by itself unless `byHand`. */
function aSupervisor({ fronts = 2, byHand = false } = {}) {
  const clock = { ms: 0 }
  const timers: { readonly atMs: number; readonly then: () => void }[] = []
  const processes: FakeProcess[] = []
  const errors: object[] = []
  const spawn = (name: string): Child => {
    const process = new FakeProcess(name)
    processes.push(process)
    if (!byHand) {
      queueMicrotask(() => {
        process.report({ kind: 'loaded' })
        process.report({ kind: 'ready', listening: name === 'engine' ? {} : { port: 1, url: name } })
      })
    }
    return new Child(process as unknown as ChildProcess, {
      now: () => clock.ms,
      stopWithinMs: 5_000,
      after,
    })
  }
  const after = (delayMs: number, then: () => void): (() => void) => {
    const timer = { atMs: clock.ms + delayMs, then }
    timers.push(timer)
    return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
  }
  const supervisor = new Supervisor({
    spawnEngine: () => spawn('engine'),
    spawnFront: (number) => spawn(`front ${number}`),
    fronts,
    logger: { info() {}, warn() {}, error: (fields) => void errors.push(fields) },
    after,
  })
  const advance = (ms: number): void => {
    clock.ms += ms
    for (const timer of timers.filter(({ atMs }) => atMs <= clock.ms)) {
      timers.splice(timers.indexOf(timer), 1)
      timer.then()
    }
  }
  const names = () => processes.filter(({ ended }) => !ended).map(({ name }) => name)
  return { supervisor, processes, errors, advance, names, timers }
}

const at = (processes: readonly FakeProcess[], index: number) => processes.at(index) as FakeProcess

describe('a supervisor', () => {
  it('starts the engine, then the fronts, and stops them in the other order', async () => {
    const { supervisor, processes, names } = aSupervisor()
    expect(await supervisor.start()).toEqual({ port: 1, url: 'front 1' })
    expect(processes.map(({ name }) => name)).toEqual(['engine', 'front 1', 'front 2'])
    expect(at(processes, 0).received).toEqual(['start'])
    const stopped = supervisor.stop()
    expect(names()).toEqual(['engine'])
    await stopped
    expect(names()).toEqual([])
  })

  it('reports why a process does not start, and ends the others', async () => {
    const { supervisor, processes, names } = aSupervisor({ byHand: true })
    const started = supervisor.start()
    at(processes, 0).report({ kind: 'loaded' })
    at(processes, 0).report({ kind: 'ready', listening: {} })
    await eventually(() => expect(processes).toHaveLength(3))
    at(processes, 1).report({ kind: 'failed', why: 'PORT is in use' })
    at(processes, 1).exit(1)
    at(processes, 2).report({ kind: 'ready', listening: {} })
    await expect(started).rejects.toThrow('PORT is in use')
    expect(names()).toEqual([])
  })

  it('starts a process again at once, and later if it ends again and again', async () => {
    const { supervisor, processes, errors, advance } = aSupervisor({ fronts: 1 })
    await supervisor.start()
    advance(2_000)
    const delays = [0, 100, 200, 400]
    for (const [i, delayMs] of delays.entries()) {
      at(processes, -1).exit(null, 'SIGSEGV')
      await eventually(() => expect(errors).toHaveLength(i + 1))
      expect(errors.at(-1)).toMatchObject({ process: 'front 1', why: 'signal SIGSEGV', delayMs })
      advance(delayMs)
      await eventually(() => expect(processes).toHaveLength(3 + i))
    }
    // One that was ready for a while is started at once.
    await Promise.resolve()
    advance(2_000)
    at(processes, -1).exit(1)
    await eventually(() => expect(errors.at(-1)).toMatchObject({ why: 'exit code 1', delayMs: 0 }))
    await supervisor.stop()
  })

  it('starts nothing again once it is stopped', async () => {
    const { supervisor, processes, errors, timers } = aSupervisor({ fronts: 1 })
    await supervisor.start()
    at(processes, -1).exit(1)
    await eventually(() => expect(errors).toHaveLength(1))
    await supervisor.stop()
    expect(timers).toEqual([])
    expect(processes).toHaveLength(2)
  })

  it('kills a process that does not end', async () => {
    const { supervisor, processes, advance } = aSupervisor({ fronts: 1 })
    await supervisor.start()
    at(processes, 1).obeys = false
    const stopped = supervisor.stop()
    advance(4_999)
    expect(at(processes, 1).ended).toBe(false)
    advance(1)
    await stopped
    expect(at(processes, 1).received).toEqual(['SIGTERM', 'SIGKILL'])
  })

  it('deploys: a loaded engine waits for the old one; all new fronts listen before an old one ends', async () => {
    const { supervisor, processes, names } = aSupervisor()
    await supervisor.start()
    const steps: string[] = []
    const alive: string[][] = []
    await supervisor.deploy('all', (step) => {
      steps.push(step)
      alive.push(names())
    })
    expect(steps).toEqual([
      'the engine is replaced',
      '2 new fronts accept connections',
      'front 1 is replaced',
      'front 2 is replaced',
    ])
    expect(alive).toEqual([
      ['front 1', 'front 2', 'engine'],
      ['front 1', 'front 2', 'engine', 'front 1', 'front 2'],
      ['front 2', 'engine', 'front 1', 'front 2'],
      ['engine', 'front 1', 'front 2'],
    ])
    for (const old of [1, 2]) expect(at(processes, old).received).toEqual(['stop_listening', 'SIGTERM'])
    await supervisor.stop()
    expect(names()).toEqual([])
  })

  it('deploys nothing while it starts', async () => {
    const { supervisor } = aSupervisor()
    const started = supervisor.start()
    await expect(supervisor.deploy('all', () => {})).rejects.toThrow('the server is starting')
    await started
    await supervisor.deploy('engine', () => {})
    await supervisor.stop()
  })

  it('keeps the old processes if the new ones do not start', async () => {
    const { supervisor, processes, names, errors } = aSupervisor({ byHand: true, fronts: 1 })
    const started = supervisor.start()
    const ready = (process: FakeProcess) => process.report({ kind: 'ready', listening: {} })
    at(processes, 0).report({ kind: 'loaded' })
    ready(at(processes, 0))
    await eventually(() => expect(processes).toHaveLength(2))
    ready(at(processes, 1))
    await started

    const failing = supervisor.deploy('all', () => {})
    await expect(supervisor.deploy('all', () => {})).rejects.toThrow('a deployment is running')
    at(processes, 2).report({ kind: 'failed', why: 'a syntax error' })
    at(processes, 2).exit(1)
    await expect(failing).rejects.toThrow(
      'the new engine does not start: a syntax error; the old one continues',
    )
    expect(names()).toEqual(['engine', 'front 1'])

    const deploying = supervisor.deploy('all', () => {})
    at(processes, 3).report({ kind: 'loaded' })
    await eventually(() => expect(at(processes, 3).received).toEqual(['start']))
    ready(at(processes, 3))
    await eventually(() => expect(processes).toHaveLength(5))
    at(processes, 4).exit(1)
    await expect(deploying).rejects.toThrow('a new front does not start: exit code 1; the old ones continue')
    expect(names()).toEqual(['front 1', 'engine'])
    expect(errors).toEqual([])
    await supervisor.stop()
    expect(names()).toEqual([])
  })
})
