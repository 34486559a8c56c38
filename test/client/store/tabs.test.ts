import { beforeEach, describe, expect, it } from 'vitest'
import { Tabs } from '../../../client/store/tabs.ts'
import { ChatError } from '../../../protocol/errors.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Browser, type Tab } from '../../support/browser.ts'

/** The state that all tabs can read, as that of a cache. */
let written: number[]
let clock: ManualClock
let browser: Browser

interface Player {
  readonly tab: Tab
  readonly tabs: Tabs<string, number>
  readonly log: string[]
  /** The events that it shows. */
  shown: number[]
  /** Resolves the pending requests of the leader. */
  readonly held: (() => void)[]
}

function open(): Player {
  const tab = browser.openTab()
  const log: string[] = []
  const held: (() => void)[] = []
  const tabs = new Tabs<string, number>({
    name: 'test',
    channel: tab.channel('test'),
    locks: tab.locks,
    clock: clock.forClient,
    timeoutMs: 20_000,
    lead: () => log.push('lead'),
    follow: () => log.push('follow'),
    async answer(name, fields) {
      log.push(`answer ${name}`)
      if (name === 'refuse') throw new ChatError('forbidden', 'no', { field: 'groupId' })
      if (name.startsWith('hold')) await new Promise<void>((resolve) => held.push(resolve))
      return [name, fields]
    },
    prepare: async () => 'state',
    async join(state) {
      log.push(`join ${state}`)
      player.shown = [...written]
      await settle()
    },
    event: (event) => {
      if (!player.shown.includes(event)) player.shown.push(event)
    },
    isRepeatable: (name) => name.includes('read'),
  })
  const player: Player = { tab, tabs, log, shown: [], held }
  tabs.start()
  return player
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

function emit(leader: Player, event: number): void {
  written.push(event)
  leader.tabs.broadcast(event)
}

async function aPair(): Promise<readonly [Player, Player]> {
  const leader = open()
  await settle()
  const follower = open()
  await settle()
  return [leader, follower]
}

describe('tabs', () => {
  beforeEach(() => {
    written = []
    clock = new ManualClock()
    browser = new Browser()
  })

  it('have one leader; the others join it', async () => {
    const [leader, follower] = await aPair()
    expect(leader.log).toEqual(['lead'])
    expect(follower.log).toEqual(['join state'])
    expect([leader.tabs.isLeader, follower.tabs.isLeader]).toEqual([true, false])
  })

  it('handle each event of the leader once, also those that arrive while they join', async () => {
    const leader = open()
    await settle()
    emit(leader, 1)
    const follower = open()
    for (let event = 2; event <= 60; event += 1) {
      emit(leader, event)
      await Promise.resolve()
    }
    await settle()
    expect(follower.shown).toEqual(written)
  })

  it('carry out requests in the leader, with its answers and errors', async () => {
    const [, follower] = await aPair()
    expect(await follower.tabs.request('get', { a: 1 })).toEqual(['get', { a: 1 }])
    await expect(follower.tabs.request('refuse', {})).rejects.toMatchObject({
      name: 'ChatError',
      code: 'forbidden',
      field: 'groupId',
    })
  })

  it('pass the lead on when the leader crashes, and reject what may have been carried out', async () => {
    const [leader, follower] = await aPair()
    const third = open()
    await settle()
    const lost = follower.tabs.request('hold change', {})
    const repeated = follower.tabs.request('read', {})
    const elsewhere = third.tabs.request('hold read', {})
    lost.catch(() => {})
    await Promise.resolve()
    leader.tab.crash()
    await settle()
    expect(follower.log).toContain('lead')
    await expect(lost).rejects.toMatchObject({ name: 'ClientError', code: 'connection_lost' })
    expect(await repeated).toEqual(['read', {}])
    for (const resolve of follower.held) resolve()
    expect(await elsewhere).toEqual(['hold read', {}])
    expect(third.log.filter((entry) => entry.startsWith('join'))).toHaveLength(2)
  })

  it('let the next tab lead when the leader closes', async () => {
    const [leader, follower] = await aPair()
    leader.tabs.close()
    await settle()
    expect(follower.tabs.isLeader).toBe(true)
    expect(await follower.tabs.request('get', {})).toEqual(['get', {}])
  })

  it('send requests that were made before a leader is known', async () => {
    const leader = open()
    const follower = open()
    const answer = follower.tabs.request('get', {})
    await settle()
    expect(leader.log).toContain('answer get')
    expect(await answer).toEqual(['get', {}])
  })

  it('reject a request without an answer after its time limit', async () => {
    const [, follower] = await aPair()
    const request = follower.tabs.request('hold', {})
    request.catch(() => {})
    await settle()
    clock.advance(20_000)
    await expect(request).rejects.toMatchObject({ code: 'timeout' })
  })

  it('take the lead from a frozen leader, which follows when it is no longer frozen', async () => {
    const [leader, follower] = await aPair()
    leader.tab.freeze()
    for (let check = 0; check < 3; check += 1) {
      clock.advance(4_000)
      await settle()
    }
    expect(follower.tabs.isLeader).toBe(true)
    leader.tab.thaw()
    await settle()
    expect(leader.log).toEqual(['lead', 'follow', 'join state'])
    emit(follower, 1)
    await settle()
    expect(leader.shown).toEqual([1])
  })

  it('do not take the lead from a leader that answers', async () => {
    const [leader, follower] = await aPair()
    for (let check = 0; check < 10; check += 1) {
      clock.advance(4_000)
      await settle()
    }
    expect([leader.tabs.isLeader, follower.tabs.isLeader]).toEqual([true, false])
  })

  it('join again when they missed an event', async () => {
    const [leader, follower] = await aPair()
    emit(leader, 1)
    await settle()
    // As a page that the browser stored away: what was posted meanwhile is dropped.
    follower.tab.freeze()
    emit(leader, 2)
    await settle()
    follower.tab.thaw({ drop: true })
    emit(leader, 3)
    await settle()
    expect(follower.shown).toEqual([1, 2, 3])
  })

  it('refuse requests above the bound', async () => {
    const [leader, follower] = await aPair()
    leader.tab.freeze()
    for (let count = 0; count < 1_000; count += 1) follower.tabs.request('get', {}).catch(() => {})
    await expect(follower.tabs.request('get', {})).rejects.toMatchObject({ code: 'overloaded' })
  })
})
