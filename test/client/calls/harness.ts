/**
 * Users with devices that call each other over a test engine.
 */
import { onTestFinished } from 'vitest'
import type { CallSignals } from '../../../client/calls/call-sender.ts'
import { PeerCalls, type PeerCallsOptions } from '../../../client/calls/peer-calls.ts'
import type { ChatClient } from '../../../client/chat-client.ts'
import { startTestEngine, type TestEngine } from '../../../testing/test-engine.ts'
import { FakeDevices, FakeNetwork } from './fake-peer.ts'

export interface Device {
  readonly calls: PeerCalls
  readonly client: ChatClient
  readonly devices: FakeDevices
  /** The state of the call; with its reason if it has ended. */
  state(): string
}

export interface CallStage {
  readonly engine: TestEngine
  readonly network: FakeNetwork
  readonly groupId: string
  device(userId: string, iceServers?: PeerCallsOptions['iceServers']): Promise<Device>
}

/** The signals of a client. */
function signalsOf(client: ChatClient): CallSignals {
  return {
    me: { getSnapshot: () => ({ userId: client.userId }) },
    onSignal: (listener) => client.on('signal', listener),
    signal: async (signal) => void (await client.signal(signal)),
  }
}

/** An engine with a group of Ana, Bruno and Caio. */
export async function aCallStage(): Promise<CallStage> {
  const engine = await startTestEngine()
  onTestFinished(() => engine.close())
  const network = new FakeNetwork()
  const owner = await engine.connect({ userId: 'ana' })
  const { groupId } = await owner.createGroup({ kind: 'group', members: ['bruno', 'caio'] })
  owner.close()
  return {
    engine,
    network,
    groupId,
    async device(userId, iceServers) {
      const client = engine.client({ userId })
      await client.connect()
      const devices = new FakeDevices()
      const calls = new PeerCalls(signalsOf(client), {
        iceServers,
        createPeer: network.create,
        devices: devices.forCalls,
        clock: engine.clock.forClient,
      })
      onTestFinished(() => calls.close())
      const state = () => {
        const view = calls.view.getSnapshot()
        return view.state === 'ended' ? `ended: ${view.reason}` : view.state
      }
      return { calls, client, devices, state }
    },
  }
}
