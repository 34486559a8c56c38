/**
 * Control: how `tertulia deploy` reaches a running supervisor, by a Unix socket in the data folder.
 *
 * The command sends one line, the answer is one line of JSON for each step and one for the end. Only the user
 * of the server may open the socket. Bounded: `MAX_COMMANDS` connections, and a command is a short line.
 */
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Deployed, Supervisor } from './supervisor.ts'

/** The name of the socket in the data folder. */
export const CONTROL_SOCKET = 'control.sock'

const MAX_COMMANDS = 8
const MAX_LINE_BYTES = 64
const LINE_WITHIN_MS = 5_000
const OWNER_ONLY = 0o600

/** A line of the answer. */
type Step = { readonly step: string } | { readonly done: true } | { readonly failed: string }

/** Accepts commands at `path`. The data folder belongs to this process: an older socket is replaced. */
export async function acceptCommands(
  path: string,
  supervisor: Pick<Supervisor, 'deploy'>,
): Promise<{ close(): void }> {
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.setTimeout(LINE_WITHIN_MS, () => socket.destroy())
    readLine(socket, (line) => {
      socket.setTimeout(0)
      void run(line, socket, supervisor)
    })
  })
  server.maxConnections = MAX_COMMANDS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // Only the user of this process may connect, from the first moment on.
    const mask = process.umask(0o177)
    server.listen(path, resolve)
    process.umask(mask)
  })
  chmodSync(path, OWNER_ONLY)
  return {
    close() {
      server.close()
      rmSync(path, { force: true })
    },
  }
}

/**
 * Asks the supervisor at `path` for a deployment; `report` receives each step.
 * @throws Error if no supervisor is there, or the deployment fails
 */
export async function askForDeployment(
  path: string,
  what: Deployed,
  report: (step: string) => void,
): Promise<void> {
  const socket = connect(path)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', () =>
      reject(
        new Error(`no server with fronts runs here (${path}); set its DATA_DIR, or start it with FRONTS`),
      ),
    )
  })
  socket.on('error', () => {})
  socket.write(`${what}\n`)
  for await (const line of createInterface({ input: socket })) {
    const answer = JSON.parse(line) as Step
    if ('step' in answer) report(answer.step)
    else if ('failed' in answer) throw new Error(answer.failed)
    else return
  }
  throw new Error('the server ended during the deployment')
}

async function run(line: string, socket: Socket, supervisor: Pick<Supervisor, 'deploy'>): Promise<void> {
  const answer = (step: Step) => socket.write(`${JSON.stringify(step)}\n`)
  try {
    if (line !== 'all' && line !== 'engine') throw new Error('unknown command')
    await supervisor.deploy(line, (step) => answer({ step }))
    answer({ done: true })
  } catch (error) {
    answer({ failed: (error as Error).message })
  }
  socket.end()
}

/** Calls `then` with the first line; a longer one closes the socket. */
function readLine(socket: Socket, then: (line: string) => void): void {
  let text = ''
  const read = (data: Buffer): void => {
    text += data.toString('latin1')
    const end = text.indexOf('\n')
    if (end < 0 && text.length <= MAX_LINE_BYTES) return
    socket.off('data', read)
    if (end < 0) socket.destroy()
    else then(text.slice(0, end))
  }
  socket.on('data', read)
}
