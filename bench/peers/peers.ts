/**
 * Peers: what people would take instead of Tertulia, and Tertulia with each of its wires.
 *
 * Each starts in a process of its own on a given port, configured as its own documentation recommends. What it
 * checks, stores and acknowledges differs, and stands beside every figure.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Children, type RunningServer, SECRET } from '../children.ts'
import { MQTT_USER } from './load/wires/mqtt-wire.ts'
import type { WireName } from './load/wires.ts'

/** Where a server runs; the same again after a restart. */
export interface Site {
  readonly port: number
  /** Its data and configuration. */
  readonly folder: string
  /** Members recover what they missed, where the peer offers that. */
  readonly recovers: boolean
}

export interface Peer {
  readonly label: string
  readonly wire: WireName
  /** How a connection proves who it is. */
  readonly checks: string
  /** What the server does for a member who connects, besides the check. */
  readonly connects: string
  /** What a posted message outlives. */
  readonly stores: string
  /** What the answer to a post says. */
  readonly acknowledges: string
  /** What a member who was away receives later. */
  readonly recovery: string
  /** Its version, or null if it is not on this machine. */
  version(): string | null
  start(children: Children, site: Site): Promise<RunningServer>
  /** Replaces the running server while it serves. Without it a deployment is a stop and a start. */
  deploy?(children: Children, site: Site): Promise<void>
  /** The only work that it does; without it, all. */
  readonly only?: string
}

const NOTHING = 'nothing'
const SUBSCRIBES = 'subscribes them'
const SUBSCRIBES_LATER = 'subscribes them, by a second request'
const SERVERS = 'servers/'

export const peers = {
  ws: {
    label: '`ws` loop',
    wire: 'plain',
    checks: 'JWT',
    connects: SUBSCRIBES,
    stores: NOTHING,
    acknowledges: 'received',
    recovery: NOTHING,
    version: () => versionOf('ws'),
    start: (children, site) => node(children, 'ws-loop-process', site),
  },
  uws: {
    label: 'bare uWebSockets.js',
    wire: 'bare',
    checks: 'JWT',
    connects: SUBSCRIBES,
    stores: NOTHING,
    acknowledges: 'received',
    recovery: NOTHING,
    version: uwsVersion,
    start: (children, site) => node(children, 'topics-process', site),
  },
  'socket.io': socketIo('Socket.IO, ws', []),
  'socket.io-uws': socketIo('Socket.IO, uWebSockets.js', ['uws']),
  nats: {
    label: 'NATS',
    wire: 'nats',
    checks: 'one token for all',
    connects: SUBSCRIBES_LATER,
    stores: NOTHING,
    acknowledges: NOTHING,
    recovery: NOTHING,
    version: () => programVersion('nats-server', ['--version']),
    start: (children, { port, folder }) => {
      const file = join(folder, 'nats.conf')
      writeFileSync(
        file,
        `listen: "127.0.0.1:-1"\nauthorization { token: "${SECRET}" }\n` +
          `websocket { listen: "127.0.0.1:${port}", no_tls: true }\n`,
      )
      return children.program('nats-server', ['-c', file], port)
    },
  },
  mosquitto: mosquitto('Mosquitto, QoS 0', 'mqtt-0', NOTHING, NOTHING),
  'mosquitto-qos1': mosquitto('Mosquitto, QoS 1', 'mqtt-1', 'received', 'up to 1,000 messages of a session'),
  tertulia: tertulia('Tertulia, msgpack', 'tertulia-msgpack'),
  'tertulia-json': tertulia('Tertulia, JSON', 'tertulia-json'),
  'tertulia-socket.io': tertulia('Tertulia, Socket.IO', 'tertulia-socket.io'),
  'tertulia-fronts': fronts('Tertulia, 2 fronts, `tertulia deploy`', []),
  'tertulia-engine': fronts('Tertulia, 2 fronts, `tertulia deploy --engine-only`', ['--engine-only']),
} satisfies Readonly<Record<string, Peer>> as Readonly<Record<string, Peer>>

function node(
  children: Children,
  program: string,
  { port }: Site,
  args: readonly string[] = [],
): Promise<RunningServer> {
  const env = { BENCH_PORT: String(port), BENCH_SECRET: SECRET, NODE_ENV: 'production' }
  return children.peer(`${SERVERS}${program}`, args, env)
}

function socketIo(label: string, args: readonly string[]): Peer {
  return {
    label,
    wire: 'socket.io',
    checks: 'JWT',
    connects: SUBSCRIBES,
    stores: NOTHING,
    acknowledges: 'received',
    recovery: 'messages of the last 2 minutes, unless the server restarts',
    version: () => (args.includes('uws') && uwsVersion() === null ? null : versionOf('socket.io')),
    start: (children, site) =>
      node(children, 'socket-io-rooms-process', site, [...args, ...(site.recovers ? ['recovery'] : [])]),
  }
}

function mosquitto(label: string, wire: WireName, acknowledges: string, recovery: string): Peer {
  return {
    label,
    wire,
    checks: 'one password for all',
    connects: SUBSCRIBES_LATER,
    stores: wire === 'mqtt-1' ? 'messages of absent sessions, at a regular stop' : NOTHING,
    acknowledges,
    recovery,
    version: () => programVersion('mosquitto', ['-h']),
    start: (children, { port, folder }) => {
      const [file, passwords] = [join(folder, 'mosquitto.conf'), join(folder, 'passwords')]
      execFileSync('mosquitto_passwd', ['-b', '-c', passwords, MQTT_USER, SECRET], { stdio: 'ignore' })
      // Mosquitto 2.0.11 does not start with WebSocket listeners alone.
      writeFileSync(
        file,
        `listener 0 ${folder}/mqtt.sock\nlistener ${port} 127.0.0.1\nprotocol websockets\npassword_file ${passwords}\nallow_anonymous false\n` +
          `persistence true\npersistence_location ${folder}/\nset_tcp_nodelay true\nuser root\nlog_type error\n`,
      )
      return children.program('mosquitto', ['-c', file], port)
    },
  }
}

function tertulia(label: string, wire: WireName): Peer {
  return {
    label,
    wire,
    checks: 'JWT',
    connects:
      'reads their groups and unread counts, subscribes them, stores when they were seen, and announces their presence',
    stores: 'everything, on disk',
    acknowledges: 'stored on disk',
    recovery: 'everything',
    version: () => versionOf('..'),
    start: (children, { port, folder }) => children.server({ PORT: String(port), DATA_DIR: folder }),
  }
}

/** Fronts differ from one process where something is replaced; the rest is the same work at a higher cost. */
function fronts(label: string, args: readonly string[]): Peer {
  return {
    ...tertulia(label, 'tertulia-msgpack'),
    only: 'deploy',
    start: (children, { port, folder }) =>
      children.server({ PORT: String(port), DATA_DIR: folder, FRONTS: '2' }),
    deploy: (children, { folder }) => children.command(['deploy', ...args], { DATA_DIR: folder }),
  }
}

/** The version of a package of this repository, or of itself (`..`). */
function versionOf(name: string): string {
  const file = fileURLToPath(new URL(`../../../node_modules/${name}/package.json`, import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}

/** Null where its binary does not load. */
function uwsVersion(): string | null {
  try {
    createRequire(import.meta.url)('uWebSockets.js')
    return versionOf('uWebSockets.js')
  } catch {
    return null
  }
}

function programVersion(command: string, args: readonly string[]): string | null {
  try {
    const text = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown'
  } catch (error) {
    // Some programs exit with an error after they have shown their help.
    const { code, stdout } = error as { readonly code?: string; readonly stdout?: string }
    return code === 'ENOENT' ? null : (/\d+\.\d+\.\d+/.exec(stdout ?? '')?.[0] ?? null)
  }
}
