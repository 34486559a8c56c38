/** Requests for the status of users while fronts continue. */
import { describe, expect, it } from 'vitest'
import { machineTimers } from '../../../engine/threads/timer.ts'
import { requests } from '../../../protocol/requests.ts'
import { StatusWait } from '../../../server/link/status-wait.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline } from '../../support/engines.ts'
import { text } from '../../support/sessions.ts'
import { World } from './reattach-world.ts'

/** A wait whose fronts and time a test sets. */
function aWait() {
  const fronts = { a: { isComplete: true, hadEngine: true }, b: { isComplete: true, hadEngine: false } }
  const due = new Map<() => void, number>()
  const wait = new StatusWait(() => Object.values(fronts), {
    after(delayMs, then) {
      due.set(then, delayMs)
      return () => void due.delete(then)
    },
  })
  const pass = (ms: number) => {
    for (const [then, delayMs] of [...due]) if (delayMs <= ms && due.delete(then)) then()
  }
  const isHeld = () => wait.holds(requests.get_contacts)
  return { fronts, due, wait, pass, isHeld }
}

// RES-1
describe('requests for the status of users', () => {
  it('wait in a new engine for other fronts of the engine before, if one of them has reconnected', () => {
    const { fronts, pass, isHeld } = aWait()
    expect(isHeld()).toBe(true)
    fronts.a.hadEngine = false
    expect(isHeld()).toBe(false)
    fronts.a.hadEngine = true
    pass(1_000)
    expect(isHeld()).toBe(false)
  })

  it('wait until every linked front has opened its sessions again; other requests do not', () => {
    const { fronts, wait, pass, isHeld, due } = aWait()
    pass(1_000)
    fronts.b.isComplete = false
    expect([isHeld(), wait.holds(requests.get_groups), wait.holds(null)]).toEqual([true, false, false])
    const done: string[] = []
    wait.add(() => done.push('contacts'))
    wait.check()
    expect(done).toEqual([])
    fronts.b.isComplete = true
    wait.check()
    wait.check()
    expect([done, due.size]).toEqual([['contacts'], 0])
  })

  it('wait for five seconds at most, and no more than 10,000 of them', () => {
    const { fronts, wait, pass, isHeld } = aWait()
    fronts.b.isComplete = false
    let done = 0
    for (let i = 0; i < 10_000; i++) wait.add(() => (done += 1))
    expect(isHeld()).toBe(false)
    pass(5_000)
    expect([done, isHeld()]).toEqual([10_000, true])
  })

  it('do not wait for an engine that stops', () => {
    const { fronts, wait, due, isHeld } = aWait()
    fronts.b.isComplete = false
    let done = false
    wait.add(() => (done = true))
    wait.close()
    expect([done, due.size, isHeld()]).toEqual([true, 0, false])
  })
})

describe('the contacts of a user after a crash of the engine', () => {
  it('are online when their front reconnects after that of the user', async () => {
    // The times of a wait pass when the test says so.
    const started: (() => void)[] = []
    const world = await World.start({}, startInline, {
      every: machineTimers.every,
      after(delayMs, then) {
        if (delayMs !== 1_000 && delayMs !== 5_000) return machineTimers.after(delayMs, then)
        if (delayMs === 1_000) started.push(then)
        return () => {}
      },
    })
    const [a, b] = [await world.front(), await world.front()]
    const ana = await a.front.open('ana')
    const bruno = await b.front.open('bruno')
    const made = await ana.request('create_group', { kind: 'direct', members: ['bruno'] })
    const groupId = made.event === 'group' ? made.fields.group.groupId : ''
    // He accepts the chat: Ana may see his status.
    await bruno.request('send_message', text(groupId, 'Hello'))
    world.stop()
    await eventually(() => expect([a.linked.linked, b.linked.linked]).toEqual([false, false]))
    await world.restart()
    b.proxy.target = 1
    await eventually(() => expect(a.linked.linked).toBe(true))
    const status: string[] = []
    const asked = [
      ana.request('get_contacts', {}).then((answer) => {
        if (answer.event === 'users') status.push(answer.fields.users[0]?.status ?? '')
      }),
      a.linked.request({ userId: 'ana' }, 'get_contacts', {}).then(({ users }) => {
        status.push(users[0]?.status ?? '')
      }),
    ]
    await ana.request('ping', {})
    b.proxy.target = world.port
    await eventually(() => expect(b.linked.linked).toBe(true))
    expect(status).toEqual([])
    for (const then of started.splice(0)) then()
    await Promise.all(asked)
    expect(status).toEqual(['online', 'online'])
  })
})
