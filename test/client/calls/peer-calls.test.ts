import { describe, expect, it } from 'vitest'
import { aCallStage, type Device } from './harness.ts'

const bruno = { userId: 'bruno', withVideo: true }

/** Ana calls Bruno. */
async function aRingingCall() {
  const stage = await aCallStage()
  const [a, b] = [await stage.device('ana'), await stage.device('bruno')]
  await a.calls.call({ groupId: stage.groupId, ...bruno })
  await stage.engine.advance(100)
  return { ...stage, a, b }
}

async function aCall() {
  const ringing = await aRingingCall()
  await ringing.b.calls.accept()
  await ringing.engine.advance(200)
  return ringing
}

const states = (...devices: readonly Device[]) => devices.map((device) => device.state())

describe('a call', () => {
  it('rings, is accepted, connects, and ends at both when one hangs up', async () => {
    const { engine, network, a, b } = await aRingingCall()
    expect(a.calls.view.getSnapshot()).toMatchObject({ state: 'calling', isRinging: true, userId: 'bruno' })
    expect(b.calls.view.getSnapshot()).toMatchObject({ state: 'ringing', userId: 'ana', withVideo: true })
    await b.calls.accept()
    await engine.advance(200)
    for (const [device, of] of [
      [a, 0],
      [b, 1],
    ] as const) {
      expect(device.calls.view.getSnapshot()).toMatchObject({
        state: 'connected',
        connectedAt: expect.any(Number),
        local: { muted: false, video: 'camera' },
        remote: { muted: false, video: 'camera', stream: { of: network.peers[of]?.id } },
      })
    }
    // The callee answers the offered tracks; it does not offer its own.
    expect(network.peers.map(({ rollbacks }) => rollbacks)).toEqual([0, 0])
    b.calls.hangUp()
    await engine.advance(10)
    expect(states(a, b)).toEqual(['ended: hung_up', 'ended: hung_up'])
    expect(network.peers.map(({ connectionState }) => connectionState)).toEqual(['closed', 'closed'])
    expect([...a.devices.tracks, ...b.devices.tracks].every(({ isStopped }) => isStopped)).toBe(true)
    a.calls.dismiss()
    expect(a.state()).toBe('idle')
  })

  it('uses the given servers, those of a function for each call, and none if it rejects', async () => {
    const stage = await aCallStage()
    const given = [{ urls: 'stun:a.example' }]
    let served = [{ urls: 'stun:b.example' }]
    const a = await stage.device('ana', given)
    const b = await stage.device('bruno', async () => {
      if (served.length === 0) throw new Error('no network')
      return served
    })
    const used = async () => {
      const before = stage.network.configurations.length
      await a.calls.call({ groupId: stage.groupId, ...bruno })
      await stage.engine.advance(100)
      await b.calls.accept()
      await stage.engine.advance(200)
      expect(states(a, b)).toEqual(['connected', 'connected'])
      a.calls.hangUp()
      await stage.engine.advance(10)
      return stage.network.configurations
        .slice(before)
        .map(({ iceServers }) => iceServers?.map(({ urls }) => urls))
    }
    expect((await used()).sort()).toEqual([['stun:a.example'], ['stun:b.example']])
    served = [{ urls: 'stun:c.example' }]
    expect((await used()).sort()).toEqual([['stun:a.example'], ['stun:c.example']])
    served = []
    expect((await used()).sort()).toEqual([[], ['stun:a.example']])
  })

  it('is declined, ends without an answer, and is missed by the called user', async () => {
    const { engine, groupId, a, b } = await aRingingCall()
    b.calls.hangUp()
    await engine.advance(10)
    expect(states(a, b)).toEqual(['ended: declined', 'ended: declined'])
    await a.calls.call({ groupId, ...bruno })
    await engine.advance(44_000)
    expect(states(a, b)).toEqual(['calling', 'ringing'])
    await engine.advance(2_000)
    expect(states(a, b)).toEqual(['ended: no_answer', 'ended: missed'])
  })

  it('is missed when the caller disappears', async () => {
    const { engine, a, b } = await aRingingCall()
    a.client.close()
    await engine.advance(11_000)
    expect(b.state()).toBe('ended: missed')
  })

  it('rings at a device that connects while it rings', async () => {
    const { engine, device, a } = await aRingingCall()
    const late = await device('bruno')
    await engine.advance(3_100)
    expect(states(a, late)).toEqual(['calling', 'ringing'])
  })

  it('is answered by one device of the user; the others stop ringing', async () => {
    const { engine, device, a, b } = await aRingingCall()
    const tablet = await device('bruno')
    await engine.advance(3_100)
    await Promise.all([tablet.calls.accept(), b.calls.accept()])
    await engine.advance(200)
    expect(a.state()).toBe('connected')
    expect(states(b, tablet).sort()).toEqual(['connected', 'ended: answered_elsewhere'])
  })

  it('stops ringing at all devices when one declines', async () => {
    const { engine, device, a, b } = await aRingingCall()
    const tablet = await device('bruno')
    await engine.advance(3_100)
    tablet.calls.hangUp()
    await engine.advance(100)
    expect(states(a, b)).toEqual(['ended: declined', 'ended: declined'])
  })

  it('is answered with busy during another call, which goes on', async () => {
    const { engine, groupId, device, a, b } = await aCall()
    const c = await device('caio')
    await c.calls.call({ groupId, ...bruno })
    await engine.advance(100)
    expect(states(a, b, c)).toEqual(['connected', 'connected', 'ended: busy'])
  })

  it('connects once when both call each other at the same time', async () => {
    const { engine, groupId, device, network } = await aCallStage()
    const [a, b] = [await device('ana'), await device('bruno')]
    await Promise.all([
      a.calls.call({ groupId, ...bruno }),
      b.calls.call({ groupId, userId: 'ana', withVideo: false }),
    ])
    await engine.advance(3_500)
    expect(states(a, b)).toEqual(['connected', 'connected'])
    expect(network.peers).toHaveLength(2)
    expect(b.devices.tracks).toHaveLength(1)
  })

  it('ends with no_media if the microphone is not allowed', async () => {
    const { engine, a, b } = await aRingingCall()
    b.devices.isAllowed = false
    await b.calls.accept()
    await engine.advance(100)
    expect(states(a, b)).toEqual(['ended: failed', 'ended: no_media'])
  })

  it('fails if the other user has blocked the caller', async () => {
    // PRV-1
    const { engine, groupId, device } = await aCallStage()
    const [a, b] = [await device('ana'), await device('bruno')]
    await b.client.blockUser({ userId: 'ana' })
    await a.calls.call({ groupId, ...bruno })
    await engine.advance(100)
    expect(states(a, b)).toEqual(['ended: failed', 'idle'])
  })
})

describe('an answered call', () => {
  it('notifies the other side of what is muted and shown, and offers new tracks from both sides at once', async () => {
    const { engine, groupId, device, network } = await aCallStage()
    const [a, b] = [await device('ana'), await device('bruno')]
    await a.calls.call({ groupId, userId: 'bruno', withVideo: false })
    await engine.advance(100)
    await b.calls.accept()
    await engine.advance(200)
    // Both add a video track: their offers cross, and the polite side withdraws its own.
    await Promise.all([a.calls.setVideo('camera'), b.calls.setVideo('screen')])
    a.calls.setMuted(true)
    await engine.advance(200)
    // Bruno's peer was created first.
    expect(network.peers.map(({ rollbacks }) => rollbacks)).toEqual([1, 0])
    expect(network.peers.map(({ signalingState }) => signalingState)).toEqual(['stable', 'stable'])
    expect(b.calls.view.getSnapshot()).toMatchObject({ remote: { muted: true, video: 'camera' } })
    expect(a.calls.view.getSnapshot()).toMatchObject({ remote: { muted: false, video: 'screen' } })
    // The browser's own button ends sharing the screen.
    b.devices.tracks.at(-1)?.dispatchEvent(new Event('ended'))
    await engine.advance(100)
    expect(a.calls.view.getSnapshot()).toMatchObject({ remote: { video: null } })
  })

  it('restarts ICE after a failure', async () => {
    const { engine, network, a, b } = await aCall()
    network.break()
    expect(states(a, b)).toEqual(['reconnecting', 'reconnecting'])
    await engine.advance(500)
    expect(states(a, b)).toEqual(['connected', 'connected'])
    expect(network.peers.map(({ restarts }) => restarts)).toEqual([1, 1])
  })

  it('ends if it cannot be connected again', async () => {
    const { engine, network, a, b } = await aCall()
    b.client.close()
    network.break()
    await engine.advance(30_000)
    expect(states(a, b)).toEqual(['ended: failed', 'ended: failed'])
  })

  it('connects although signals are lost on the way', async () => {
    const { engine, a, b } = await aRingingCall()
    // The accept is sent while the caller is disconnected: it is repeated.
    engine.cut('ana')
    await b.calls.accept()
    await engine.advance(6_000)
    expect(states(a, b)).toEqual(['connected', 'connected'])
  })
})
