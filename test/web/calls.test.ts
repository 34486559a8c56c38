import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { PeerCalls } from '../../client/calls/index.ts'
import type { ChatClient } from '../../client/index.ts'
import { tokenOf } from '../support/server-process.ts'
import { aContext } from './support/browser.ts'
import { load } from './support/in-page.ts'
import { aWebServer } from './support/web-server.ts'

/** What a page of this test has: a client, and calls with the browser's own peer connection. */
declare global {
  var lib: {
    start(url: string, token: string): Promise<void>
    client: ChatClient
    calls: PeerCalls
    peers: RTCPeerConnection[]
  }
}

const source = `
import { ChatClient } from './client/index.ts'
import { PeerCalls } from './client/calls/index.ts'

export let client, calls
export const peers = []
export async function start(url, token) {
  client = new ChatClient({ url, token })
  await client.connect()
  const signals = {
    me: { getSnapshot: () => ({ userId: client.userId }) },
    onSignal: (listener) => client.on('signal', listener),
    signal: async (signal) => void (await client.signal(signal)),
  }
  const createPeer = (configuration) => {
    peers.push(new RTCPeerConnection(configuration))
    return peers.at(-1)
  }
  calls = new PeerCalls(signals, { createPeer })
}
`

async function aPhone(server: { readonly url: string }, userId: string): Promise<Page> {
  const page = await (await aContext()).newPage()
  await page.goto(server.url)
  await load(page, source)
  await page.evaluate(([url, token]) => lib.start(url, token), [server.url, await tokenOf(userId)] as const)
  return page
}

async function twoPhones() {
  const server = await aWebServer()
  const bruno = await aPhone(server, 'bruno')
  const ana = await aPhone(server, 'ana')
  const groupId = await ana.evaluate(
    async () => (await lib.client.createGroup({ kind: 'group', members: ['bruno'] })).groupId,
  )
  return { ana, bruno, groupId }
}

const stateOf = (page: Page) => page.evaluate(() => lib.calls.view.getSnapshot().state)
const call = (page: Page, groupId: string, userId: string, withVideo = true) =>
  page.evaluate(([to, user, video]) => lib.calls.call({ groupId: to, userId: user, withVideo: video }), [
    groupId,
    userId,
    withVideo,
  ] as const)

/** Frames of video that the page has received. */
const frames = (page: Page) =>
  page.evaluate(async () => {
    const report = await lib.peers.at(-1)?.getStats()
    let decoded = 0
    for (const stat of report?.values() ?? []) {
      if (stat.type === 'inbound-rtp' && stat.kind === 'video') decoded += stat.framesDecoded ?? 0
    }
    return decoded
  })

describe('a call between two pages', () => {
  it('connects with sound and video, shows what is off, survives an ICE restart, and hangs up', async () => {
    const { ana, bruno, groupId } = await twoPhones()
    await call(ana, groupId, 'bruno')
    await expect.poll(() => stateOf(bruno)).toBe('ringing')
    await bruno.evaluate(() => lib.calls.accept())
    await expect.poll(() => stateOf(ana)).toBe('connected')
    await expect.poll(() => stateOf(bruno)).toBe('connected')
    await expect.poll(() => frames(ana)).toBeGreaterThan(0)
    await expect.poll(() => frames(bruno)).toBeGreaterThan(0)

    await ana.evaluate(() => lib.calls.setVideo(null))
    await bruno.evaluate(() => lib.calls.setMuted(true))
    const remote = (page: Page) =>
      page.evaluate(() => {
        const view = lib.calls.view.getSnapshot()
        return 'remote' in view && `${view.remote.muted} ${view.remote.video}`
      })
    await expect.poll(() => remote(bruno)).toBe('false null')
    await expect.poll(() => remote(ana)).toBe('true camera')

    await ana.evaluate(() => lib.peers[0]?.restartIce())
    await expect
      .poll(() =>
        ana.evaluate(() => lib.peers[0]?.signalingState === 'stable' && lib.peers[0].connectionState),
      )
      .toBe('connected')

    await bruno.evaluate(() => lib.calls.hangUp())
    await expect.poll(() => stateOf(ana)).toBe('ended')
    expect(await ana.evaluate(() => lib.peers[0]?.connectionState)).toBe('closed')
  })

  it('connects once when both call at the same time, and when both add video at the same time', async () => {
    const { ana, bruno, groupId } = await twoPhones()
    await Promise.all([call(ana, groupId, 'bruno', false), call(bruno, groupId, 'ana', false)])
    await expect.poll(() => stateOf(ana)).toBe('connected')
    await expect.poll(() => stateOf(bruno)).toBe('connected')
    await Promise.all([ana, bruno].map((page) => page.evaluate(() => lib.calls.setVideo('camera'))))
    await expect.poll(() => frames(ana)).toBeGreaterThan(0)
    await expect.poll(() => frames(bruno)).toBeGreaterThan(0)
    expect(await Promise.all([ana, bruno].map((page) => page.evaluate(() => lib.peers.length)))).toEqual([
      1, 1,
    ])
  })

  it('ends when a page closes', async () => {
    const { ana, bruno, groupId } = await twoPhones()
    await call(ana, groupId, 'bruno', false)
    await expect.poll(() => stateOf(bruno)).toBe('ringing')
    await bruno.evaluate(() => lib.calls.accept())
    await expect.poll(() => stateOf(ana)).toBe('connected')
    await bruno.goto('about:blank')
    await expect.poll(() => stateOf(ana)).toBe('ended')
  })
})
