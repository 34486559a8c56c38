/**
 * Trial: one piece of work with one peer, in a fresh server and a fresh load process.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type Children, freePort, type RunningServer, SECRET, within } from '../children.ts'
import type { Peer } from './peers.ts'
import type { WorkRow } from './work-table.ts'
import type { Figures, RestartKind, WorkInput } from './works/work.ts'

const DEADLINE_MS = 300_000

export interface TrialInput {
  readonly peer: Peer
  readonly work: string
  readonly row: WorkRow
  readonly workProcess: string
  readonly connections: number
  readonly quick: boolean
  readonly seconds: number | null
}

/** What a work process sends: its figures at the end, or before that a wish. */
type Said = { readonly figures: Figures } | { readonly restart: RestartKind }

export async function runTrial(children: Children, input: TrialInput): Promise<Figures> {
  const { peer, row } = input
  const site = { port: await freePort(), folder: children.folder(), recovers: row.recovers }
  let server = await peer.start(children, site)
  const load = startLoad(children, input, server)
  try {
    const figures = new Promise<Figures>((resolve, reject) => {
      load.on('message', (said: Said) => {
        if ('figures' in said) return resolve(said.figures)
        restart(said.restart).catch(reject)
      })
      load.once('exit', (code, signal) => reject(new Error(`the load ended with ${signal ?? code}`)))
    })
    const restart = async (kind: RestartKind) => {
      const startedAt = performance.now()
      if (kind === 'stop' && peer.deploy) await peer.deploy(children, site)
      else {
        await (kind === 'kill' ? server.kill() : server.end())
        server = await peer.start(children, site)
      }
      load.send({ restarted: { pid: server.pid, awayMs: performance.now() - startedAt } })
    }
    return await within(DEADLINE_MS, `${input.work} with ${peer.label}`, figures)
  } finally {
    if (load.exitCode === null && load.signalCode === null) {
      const ended = once(load, 'exit')
      load.kill('SIGKILL')
      await ended
    }
    await server.kill()
    children.removeFolder(site.folder)
  }
}

function startLoad(
  children: Children,
  { peer, work, workProcess, connections, quick, seconds }: TrialInput,
  { pid, port }: RunningServer,
): ChildProcess {
  const input: WorkInput = { wire: peer.wire, port, secret: SECRET, pid, connections, quick, seconds }
  return children.fork(workProcess, [work, JSON.stringify(input)])
}
